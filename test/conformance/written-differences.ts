import { expect } from 'vitest';
import type { Finding } from './http-cache-tests-run.ts';

/** Tests that come out otherwise than the suite would have it, and why that is right. */
export interface WrittenDifference {
  readonly outcome: string;
  readonly why: string;
  readonly tests: readonly string[];
}

/** Fails unless the suite found all as written: what differs differs so, and everything else is met. */
export function expectAsWritten(findings: readonly Finding[], written: readonly WrittenDifference[]): void {
  const listed = written.flatMap(({ tests }) => tests);
  expect(new Set(listed).size, 'a test is on the list twice').toBe(listed.length);
  const unmet = findings.filter(({ outcome }) => outcome !== 'pass' && outcome !== 'yes');
  const expected = new Map(written.flatMap(({ outcome, tests }) => tests.map((id) => [id, outcome] as const)));
  const unexpected = unmet.filter(({ id, outcome }) => expected.get(id) !== outcome);
  const found = Object.fromEntries(unmet.map(({ id, outcome }) => [id, outcome]));
  expect(found, JSON.stringify(unexpected, null, 2)).toEqual(Object.fromEntries(expected));
}
