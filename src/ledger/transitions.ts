import type { AssetKey } from '../asset/key.ts';
import type { AssetRecord, StoredCopy } from '../asset/record.ts';
import type { Claim, ClaimRequest, ClaimResult, Settlement } from './ledger.ts';

/**
 * The claim protocol, pure: what each operation makes of one asset's cell at one moment of the ledger's clock. Both
 * drivers run these functions inside their own atomic step (a SQL transaction; a compare-and-set in Lua), so that the
 * protocol exists once. `docs/protocol.md` says it in words, `docs/protocol.pml` as a model.
 */

/** What a ledger keeps of one asset. */
export interface Cell {
  readonly record: AssetRecord | undefined;
  /** No token for this asset was ever greater; outlives settled claims, and forgotten records too. */
  readonly token: number;
}

/** A cell's new content. */
export interface Written {
  readonly record: AssetRecord;
  readonly token: number;
  /** When the sweeper should look at the asset: a lease or a back-off ends. Absent: it waits for a request. */
  readonly dueAt?: number;
  /** When it became idle; see `IdleRule`. */
  readonly idleSince?: number;
}

export interface Change<Answer> {
  readonly answer: Answer;
  /** The cell's new content; `drop` removes the record. Absent: nothing changes. */
  readonly write?: Written | 'drop';
  /** Nobody else needs to hear of it. */
  readonly quiet?: boolean;
}

export type Transition<Answer> = (cell: Cell, now: number) => Change<Answer>;

export function claimAsset(request: ClaimRequest): Transition<ClaimResult> {
  return ({ record, token }, now) => {
    if (record !== undefined && !mayClaim(record, request.redo, now)) {
      return { answer: { kind: record.state === 'claimed' ? 'held' : 'settled', record } };
    }
    const claim: Claim = {
      key: request.key,
      owner: request.owner,
      token: nextToken(token, now),
      leaseUntil: now + request.leaseMs,
    };
    const { copy, ...rest } = record ?? { createdAt: now };
    const claimed: AssetRecord = {
      ...rest,
      ...(copy !== undefined && request.redo !== 'lost' && { copy }),
      key: request.key,
      originUrl: request.originUrl,
      state: 'claimed',
      claim: { owner: claim.owner, token: claim.token, leaseUntil: claim.leaseUntil },
      updatedAt: now,
    };
    return {
      answer: { kind: 'won', claim, record: claimed, resumed: record !== undefined },
      write: { record: claimed, token: claim.token, dueAt: claim.leaseUntil },
    };
  };
}

export function renewClaim(claim: Claim, leaseMs: number): Transition<boolean> {
  return (cell, now) => {
    const record = heldBy(claim, cell);
    if (record === undefined) return { answer: false };
    const { token } = cell;
    const leaseUntil = now + leaseMs;
    const renewed: AssetRecord = {
      ...record,
      claim: { owner: claim.owner, token, leaseUntil },
      updatedAt: now,
    };
    return { answer: true, write: { record: renewed, token, dueAt: leaseUntil }, quiet: true };
  };
}

export function settleClaim(claim: Claim, settlement: Settlement): Transition<'settled' | 'stale'> {
  return (cell, now) => {
    const record = heldBy(claim, cell);
    const { token } = cell;
    if (record === undefined) {
      return { answer: token === claim.token && alreadySettled(cell.record, settlement) ? 'settled' : 'stale' };
    }
    const { claim: _ended, failure: before, ...rest } = record;
    if (settlement.state === 'stored') {
      const copy: StoredCopy = { ...settlement.copy, storedAt: storedAt(record.copy, settlement.copy) ?? now };
      const stored = { ...rest, state: stateOf(copy), copy, origin: settlement.origin, updatedAt: now };
      return { answer: 'settled', write: { record: stored, token } };
    }
    const failure = {
      reason: settlement.reason,
      detail: settlement.detail,
      attempts: (before?.attempts ?? 0) + 1,
      retryAt: now + settlement.retryInMs,
    };
    // A refresh that failed leaves the proven copy in service.
    const state = record.copy === undefined ? settlement.state : stateOf(record.copy);
    const failed: AssetRecord = { ...rest, state, failure, updatedAt: now };
    // What the origin does not have is asked for again by the next request, not by the sweeper: the number of paths
    // that do not exist has no bound.
    const swept = state === 'failed' && settlement.sweep !== false;
    const idle = !swept && record.copy === undefined;
    return {
      answer: 'settled',
      write: { record: failed, token, ...(swept && { dueAt: failure.retryAt }), ...(idle && { idleSince: now }) },
    };
  };
}

export function releaseClaim(claim: Claim): Transition<'released' | 'stale'> {
  return (cell, now) => {
    const record = heldBy(claim, cell);
    const { token } = cell;
    if (record === undefined) {
      const releasedBefore = token === claim.token && cell.record?.state === 'known';
      return { answer: releasedBefore ? 'released' : 'stale' };
    }
    const { claim: _ended, ...rest } = record;
    const state = record.copy === undefined ? 'known' : stateOf(record.copy);
    const released: AssetRecord = { ...rest, state, updatedAt: now };
    return { answer: 'released', write: { record: released, token, ...(state === 'known' && { dueAt: now }) } };
  };
}

export function tombstoneAsset(key: AssetKey, originUrl: string): Transition<void> {
  return ({ record, token }, now) => ({
    answer: undefined,
    write: {
      record: { key, originUrl, state: 'tombstoned', createdAt: record?.createdAt ?? now, updatedAt: now },
      // A token of its own: whoever uploads it at this moment can no longer settle.
      token: nextToken(token, now),
    },
  });
}

export function forgetAsset(): Transition<boolean> {
  return ({ record }) => (record === undefined ? { answer: false } : { answer: true, write: 'drop' });
}

/** Drops an idle asset, unless somebody asked for it since it was found. */
export function dropIdleAsset(idleSince: number): Transition<boolean> {
  return ({ record }) => {
    const idle = record === undefined || (isIdle(record) && record.updatedAt === idleSince);
    return idle ? { answer: record !== undefined, write: 'drop', quiet: true } : { answer: false };
  };
}

function isIdle({ state, copy }: AssetRecord): boolean {
  return copy === undefined && (state === 'missing' || state === 'failed');
}

/** See `Ledger.restore`. What was claimed there is due here at once. */
export function restoreRecord(restored: AssetRecord): Transition<boolean> {
  return (cell, now) => {
    if (cell.record?.state === 'claimed' || (cell.record?.updatedAt ?? -1) >= restored.updatedAt) {
      return { answer: false };
    }
    const { claim, ...rest } = restored;
    const state =
      restored.state !== 'claimed' ? restored.state : rest.copy === undefined ? 'known' : stateOf(rest.copy);
    const dueAt =
      state === 'failed' ? rest.failure?.retryAt : claim === undefined || state !== 'known' ? undefined : now;
    return {
      answer: true,
      write: {
        record: { ...rest, state },
        token: Math.max(cell.token, claim?.token ?? 0, restored.updatedAt),
        ...(dueAt !== undefined && { dueAt }),
        ...(state === 'missing' && { idleSince: restored.updatedAt }),
      },
    };
  };
}

function nextToken(previous: number, now: number): number {
  return Math.max(previous + 1, now);
}

function mayClaim(record: AssetRecord, redo: ClaimRequest['redo'], now: number): boolean {
  switch (record.state) {
    case 'known':
      return true;
    case 'claimed':
      return record.claim === undefined || hasPassed(record.claim.leaseUntil, record.updatedAt, now);
    case 'failed':
    case 'missing':
      return (
        redo === 'retry' ||
        redo === 'refresh' ||
        record.failure === undefined ||
        hasPassed(record.failure.retryAt, record.updatedAt, now)
      );
    case 'stored':
    case 'verified':
      return redo === 'refresh' || redo === 'lost';
    case 'tombstoned':
      return false;
  }
}

/**
 * Whether a time set at `since` has come. A clock that jumped back by more than the whole span counts as passed too:
 * a lease of 30 s must not last an hour because the server's clock was put right.
 */
export function hasPassed(until: number, since: number, now: number): boolean {
  return now >= until || since - now > until - since;
}

/**
 * The one question of every later step: is this token still the asset's newest, and is its claim still open? The owner
 * is asked too: a ledger that was flushed between two claims of the same millisecond gives both the same token.
 */
function heldBy(claim: Claim, { record, token }: Cell): AssetRecord | undefined {
  const newest = token === claim.token && record?.claim?.owner === claim.owner;
  return newest && record.state === 'claimed' ? record : undefined;
}

/** The same settlement sent twice, because the first answer was lost on the way. */
function alreadySettled(record: AssetRecord | undefined, settlement: Settlement): boolean {
  if (settlement.state === 'stored') {
    return record?.copy?.md5 === settlement.copy.md5 && record.copy.version === settlement.copy.version;
  }
  return record?.failure?.reason === settlement.reason && record.state !== 'known';
}

function stateOf(copy: StoredCopy): 'stored' | 'verified' {
  return copy.verifiedAt === undefined ? 'stored' : 'verified';
}

/** A copy that was only proven again keeps the time it was stored at. */
function storedAt(before: StoredCopy | undefined, now: Omit<StoredCopy, 'storedAt'>): number | undefined {
  const same = before?.publicId === now.publicId && before.version === now.version && before.md5 === now.md5;
  return same ? before.storedAt : undefined;
}
