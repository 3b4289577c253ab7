import type { Access } from './access/access.ts';

/** One line of the audit log: a change, a login, a refused token. Never holds a token. */
export interface AuditEntry {
  readonly action: 'login' | 'logout' | 'wrong-token' | 'retry' | 'purge' | 'tombstone' | 'stop-run';
  readonly by: `${Access['role']} by ${Access['via']}` | 'nobody';
  readonly address: string;
  /** What was changed: a delivery path, or a filter. */
  readonly target?: unknown;
  readonly outcome: 'done' | 'started' | 'refused' | 'failed';
  readonly detail?: string;
}

export type Audit = (entry: AuditEntry) => void;
