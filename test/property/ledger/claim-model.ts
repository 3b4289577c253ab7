import fc from 'fast-check';
import { expect } from 'vitest';
import type { AssetState } from '../../../src/asset/record.ts';
import type { Claim, ClaimRequest, Ledger } from '../../../src/ledger/ledger.ts';
import { failedFor, hour, keyOf, requestFor, storedAs } from '../../contract/ledger-samples.ts';

/**
 * The claim protocol as a model of a few lines, and the steps that many claimants take against a real ledger in any
 * order: claim, pause past the lease (a lease of no length), renew, settle, release, crash (a claim that nobody uses
 * again), tombstone, forget, a clock that jumps, a ledger that is lost. After each step the ledger must say what the
 * model says.
 */

interface ModelAsset {
  state: AssetState | 'none';
  copy: boolean;
  /** The claim that counts: index among all claims ever won. */
  holder: number | undefined;
  /** A lease or a back-off: from when, until when. */
  since: number;
  until: number;
  newestToken: number;
  /** Without a copy, and left to the next request. */
  idle: boolean;
}

export interface Model {
  clock: number;
  readonly assets: ModelAsset[];
}

export interface Fleet {
  /** Two processes. */
  readonly ledgers: readonly [Ledger, Ledger];
  /** Every claim ever won, the dead and the stale among them. */
  readonly claims: { readonly asset: number; readonly claim: Claim }[];
  /** Undefined where the clock cannot be set. */
  readonly jump?: (ms: number) => void;
  /** Undefined where the ledger cannot be lost. */
  readonly lose?: () => Promise<void>;
}

type Step = fc.AsyncCommand<Model, Fleet>;

const assetCount = 2;

export function emptyModel(): Model {
  const nothing = {
    state: 'none',
    copy: false,
    holder: undefined,
    since: 0,
    until: 0,
    newestToken: 0,
    idle: false,
  } as const;
  return { clock: 0, assets: Array.from({ length: assetCount }, () => ({ ...nothing })) };
}

export function steps(fleet: Pick<Fleet, 'jump' | 'lose'>): fc.Arbitrary<Iterable<Step>> {
  const asset = fc.nat(assetCount - 1);
  const process = fc.nat(1);
  const span = fc.constantFrom(0, hour);
  /** Mostly a recent claim, now and then an old one. */
  const back = fc.oneof({ weight: 4, arbitrary: fc.nat(1) }, fc.nat(20));
  const redo = fc.constantFrom(undefined, undefined, 'retry', 'refresh', 'lost');
  return fc.commands(
    [
      fc.tuple(asset, process, span, redo).map((chosen) => new ClaimStep(...chosen)),
      fc.tuple(asset, process, span, redo).map((chosen) => new ClaimStep(...chosen)),
      fc.tuple(back, process, span).map((chosen) => new RenewStep(...chosen)),
      fc
        .tuple(back, process, fc.constantFrom('stored', 'failed', 'missing'), span)
        .map((chosen) => new SettleStep(...chosen)),
      fc.tuple(back, process).map((chosen) => new ReleaseStep(...chosen)),
      fc.tuple(asset, process, fc.boolean()).map((chosen) => new EndStep(...chosen)),
      fc.tuple(process, fc.nat(assetCount)).map((chosen) => new DropIdleStep(...chosen)),
      ...(fleet.jump === undefined
        ? []
        : [fc.constantFrom(-3 * hour, -hour / 2, 1, hour / 2, 3 * hour).map((ms) => new JumpStep(ms))]),
      ...(fleet.lose === undefined ? [] : [fc.constant(new LoseStep())]),
    ],
    { maxCommands: 60, size: 'max' },
  );
}

function passed({ since, until }: ModelAsset, { clock }: Model): boolean {
  return clock >= until || since - clock > until - since;
}

function mayClaim(asset: ModelAsset, model: Model, redo: ClaimRequest['redo']): boolean {
  if (asset.state === 'none' || asset.state === 'known') return true;
  if (asset.state === 'tombstoned') return false;
  if (asset.state === 'claimed') return passed(asset, model);
  if (asset.copy) return redo === 'refresh' || redo === 'lost';
  return redo === 'retry' || redo === 'refresh' || passed(asset, model);
}

/** What every step ends with: both processes see what the model says. */
async function agree(model: Model, { ledgers }: Fleet): Promise<void> {
  for (const [index, asset] of model.assets.entries()) {
    for (const ledger of ledgers) {
      const record = await ledger.lookup(keyOf(`${index}.jpg`));
      expect(record?.state ?? 'none').toBe(asset.state);
      expect(record?.copy !== undefined).toBe(asset.copy);
      expect(record?.claim !== undefined).toBe(asset.state === 'claimed');
    }
  }
}

/** Asked now and then: over Redis it reads every bucket. */
async function agreeOnTally(model: Model, { ledgers }: Fleet): Promise<void> {
  const [tally] = await ledgers[0].tally();
  for (const [state, count] of Object.entries(tally?.states ?? {})) {
    expect(`${state} ${count}`).toBe(`${state} ${model.assets.filter((asset) => asset.state === state).length}`);
  }
}

function assetOf(model: Model, index: number): ModelAsset {
  const asset = model.assets[index];
  if (asset === undefined) throw new RangeError(`there are ${assetCount} assets`);
  return asset;
}

class ClaimStep implements Step {
  readonly #asset: number;
  readonly #process: number;
  readonly #leaseMs: number;
  readonly #redo: ClaimRequest['redo'];

  constructor(asset: number, process: number, leaseMs: number, redo: ClaimRequest['redo']) {
    this.#asset = asset;
    this.#process = process;
    this.#leaseMs = leaseMs;
    this.#redo = redo;
  }

  check = () => true;

  async run(model: Model, fleet: Fleet): Promise<void> {
    const asset = assetOf(model, this.#asset);
    const result = await (fleet.ledgers[this.#process] as Ledger).claim(
      requestFor(keyOf(`${this.#asset}.jpg`), {
        owner: `claimant ${fleet.claims.length}`,
        leaseMs: this.#leaseMs,
        ...(this.#redo !== undefined && { redo: this.#redo }),
      }),
    );
    if (!mayClaim(asset, model, this.#redo)) {
      expect(result.kind).toBe(asset.state === 'claimed' ? 'held' : 'settled');
    } else {
      if (result.kind !== 'won') throw new Error(`expected to win, it was ${result.kind}`);
      // Fencing: newer than whatever was granted before for this asset.
      expect(result.claim.token).toBeGreaterThan(asset.newestToken);
      expect(result.resumed).toBe(asset.state !== 'none');
      asset.newestToken = result.claim.token;
      asset.copy = asset.copy && this.#redo !== 'lost';
      asset.state = 'claimed';
      asset.idle = false;
      asset.holder = fleet.claims.push({ asset: this.#asset, claim: result.claim }) - 1;
      asset.since = model.clock;
      asset.until = model.clock + this.#leaseMs;
    }
    await agree(model, fleet);
  }

  toString = () => `claim ${this.#asset} by ${this.#process} for ${this.#leaseMs} (${this.#redo ?? 'no redo'})`;
}

/** A step by the holder of some claim, however old; `ours`: that claim is still the one that counts. */
abstract class HolderStep implements Step {
  readonly #back: number;
  readonly #process: number;

  constructor(back: number, process: number) {
    this.#back = back;
    this.#process = process;
  }

  check = () => true;

  async run(model: Model, fleet: Fleet): Promise<void> {
    const held = fleet.claims.at(-1 - (this.#back % Math.max(fleet.claims.length, 1)));
    if (held === undefined) return;
    const asset = assetOf(model, held.asset);
    const ours = asset.state === 'claimed' && asset.holder === fleet.claims.indexOf(held);
    await this.act(fleet.ledgers[this.#process] as Ledger, held.claim, asset, ours, model.clock);
    await agree(model, fleet);
  }

  abstract act(ledger: Ledger, claim: Claim, asset: ModelAsset, ours: boolean, clock: number): Promise<void>;

  toString(): string {
    return `${this.constructor.name} of claim -${this.#back} by ${this.#process}`;
  }
}

class RenewStep extends HolderStep {
  readonly #leaseMs: number;

  constructor(back: number, process: number, leaseMs: number) {
    super(back, process);
    this.#leaseMs = leaseMs;
  }

  override async act(ledger: Ledger, claim: Claim, asset: ModelAsset, ours: boolean, clock: number): Promise<void> {
    expect(await ledger.renew(claim, this.#leaseMs)).toBe(ours);
    if (!ours) return;
    asset.since = clock;
    asset.until = clock + this.#leaseMs;
  }
}

class SettleStep extends HolderStep {
  readonly #state: 'stored' | 'failed' | 'missing';
  readonly #retryInMs: number;

  constructor(back: number, process: number, state: 'stored' | 'failed' | 'missing', retryInMs: number) {
    super(back, process);
    this.#state = state;
    this.#retryInMs = retryInMs;
  }

  override async act(ledger: Ledger, claim: Claim, asset: ModelAsset, ours: boolean, clock: number): Promise<void> {
    // Each claim brings a copy of its own, so that a stale settlement would show.
    const settlement =
      this.#state === 'stored'
        ? storedAs(`by-${claim.owner}`, { version: claim.token })
        : failedFor(this.#retryInMs, this.#state);
    const before = await ledger.lookup(claim.key);
    const answer = await ledger.settle(claim, settlement);
    const after = await ledger.lookup(claim.key);
    if (!ours) {
      // `settled` again only for the very settlement this claim made; either way nothing changes.
      if (answer === 'settled') expect(asset.holder).toBeUndefined();
      expect(after).toEqual(before);
      return;
    }
    expect(answer).toBe('settled');
    asset.holder = undefined;
    asset.since = clock;
    asset.until = this.#state === 'stored' ? clock : clock + this.#retryInMs;
    asset.copy = asset.copy || this.#state === 'stored';
    asset.state = asset.copy ? 'stored' : this.#state;
    asset.idle = asset.state === 'missing';
    if (this.#state === 'stored') expect(after?.copy?.publicId).toBe(`by-${claim.owner}`);
  }
}

class ReleaseStep extends HolderStep {
  override async act(ledger: Ledger, claim: Claim, asset: ModelAsset, ours: boolean): Promise<void> {
    const answer = await ledger.release(claim);
    if (!ours) return;
    expect(answer).toBe('released');
    asset.holder = undefined;
    asset.state = asset.copy ? 'stored' : 'known';
  }
}

class EndStep implements Step {
  readonly #asset: number;
  readonly #process: number;
  readonly #forget: boolean;

  constructor(asset: number, process: number, forget: boolean) {
    this.#asset = asset;
    this.#process = process;
    this.#forget = forget;
  }

  check = () => true;

  async run(model: Model, fleet: Fleet): Promise<void> {
    const asset = assetOf(model, this.#asset);
    const ledger = fleet.ledgers[this.#process] as Ledger;
    const key = keyOf(`${this.#asset}.jpg`);
    if (this.#forget) expect(await ledger.forget(key)).toBe(asset.state !== 'none');
    else await ledger.tombstone(key, 'https://origin.test/static/a.jpg');
    asset.state = this.#forget ? 'none' : 'tombstoned';
    asset.copy = false;
    asset.idle = false;
    asset.holder = undefined;
    await agree(model, fleet);
    await agreeOnTally(model, fleet);
  }

  toString = () => `${this.#forget ? 'forget' : 'tombstone'} ${this.#asset} by ${this.#process}`;
}

/** Which of several are dropped is the contract suite's matter: here, how many, and that it is idle ones. */
class DropIdleStep implements Step {
  readonly #process: number;
  readonly #most: number;

  constructor(process: number, most: number) {
    this.#process = process;
    this.#most = most;
  }

  check = () => true;

  async run(model: Model, fleet: Fleet): Promise<void> {
    const idle = model.assets.filter((asset) => asset.idle);
    const excess = Math.max(0, idle.length - this.#most);
    // An age that no jump of the clock reaches.
    const rule = { keepMs: 1e6 * hour, most: this.#most };
    expect(await (fleet.ledgers[this.#process] as Ledger).dropIdle(rule, 100)).toBe(excess);
    for (const [index, asset] of model.assets.entries()) {
      if (!asset.idle || (await fleet.ledgers[0].lookup(keyOf(`${index}.jpg`))) !== undefined) continue;
      asset.state = 'none';
      asset.idle = false;
    }
    expect(model.assets.filter((asset) => asset.idle)).toHaveLength(idle.length - excess);
    await agree(model, fleet);
    await agreeOnTally(model, fleet);
  }

  toString = () => `drop idle assets but ${this.#most} by ${this.#process}`;
}

class JumpStep implements Step {
  readonly #ms: number;

  constructor(ms: number) {
    this.#ms = ms;
  }

  check = () => true;

  async run(model: Model, fleet: Fleet): Promise<void> {
    fleet.jump?.(this.#ms);
    model.clock += this.#ms;
    await agree(model, fleet);
  }

  toString = () => `the clock jumps by ${this.#ms}`;
}

class LoseStep implements Step {
  check = () => true;

  async run(model: Model, fleet: Fleet): Promise<void> {
    await fleet.lose?.();
    for (const asset of model.assets) {
      asset.state = 'none';
      asset.copy = false;
      asset.idle = false;
      asset.holder = undefined;
      // Two claims of one millisecond, with the loss between them, share a token; their owners tell them apart.
      asset.newestToken -= 1;
    }
    await agree(model, fleet);
  }

  toString = () => 'the ledger is lost';
}
