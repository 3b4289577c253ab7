import { Readable } from 'node:stream';
import type { Asset } from '../asset/asset.ts';
import { AssetFailure } from '../asset/failure.ts';
import { type AssetKey, encodeAssetKey } from '../asset/key.ts';
import type { Proof } from '../asset/record.ts';
import type { Mapping } from '../config/schema.ts';
import type { Settlement } from '../ledger/ledger.ts';
import type { Origin, OriginResponse } from '../origin/origin.ts';
import type { SharedRead, SharedReads } from '../origin/shared-read.ts';
import type { AssetStore, UploadResult, UploadSource } from '../store/asset-store.ts';
import type { Attempt, AttemptContext } from './claimed.ts';
import { examine } from './examine.ts';
import { limited, tooLarge } from './limited.ts';
import { look } from './look.ts';
import { settlementOf } from './policy.ts';
import { type Evidence, prove } from './prove.ts';
import { readAgain } from './read-again.ts';
import { newerFacts } from './revalidate.ts';
import type { SourceChoice } from './source-choice.ts';
import type { TypeMismatch } from './type-mismatch.ts';
import { untilAborted } from './until-aborted.ts';
import { uploadOptionsOf } from './upload-options.ts';

export interface AttemptDependencies {
  /** Undefined when the mapping is gone since the request came in. */
  readonly mappingOf: (key: AssetKey) => Mapping | undefined;
  readonly originOf: (mapping: Mapping) => Origin;
  readonly reads: SharedReads;
  readonly store: AssetStore;
  readonly sources: SourceChoice;
  readonly random: () => number;
  readonly onMismatch?: (asset: Asset, types: TypeMismatch) => void;
  readonly onProgress?: (asset: Asset, via: UploadSource['kind']) => void;
  /** The store said that it is asked too much; `forMs`: for how long, where it said so. */
  readonly onRateLimited?: (forMs: number | undefined) => void;
}

/** Objects from this size on are asked for at the store before they are sent. */
const worthAskingBytes = 8 << 20;

/** What is at hand in one attempt. */
interface Work {
  readonly asset: Asset;
  readonly mapping: Mapping;
  readonly origin: Origin;
  readonly response: OriginResponse;
  readonly context: AttemptContext;
  /** The read that clients and we share, if there is one; held until the attempt is over. */
  read: SharedRead | undefined;
  /** Called when the attempt is over. */
  readonly releases: (() => void)[];
}

/** examine → transfer → prove. What goes wrong with the asset becomes a settlement by the policy. */
export function createAttempt(dependencies: AttemptDependencies): Attempt {
  const { reads, store, sources } = dependencies;

  return async (asset, context) => {
    const mapping = dependencies.mappingOf(asset.key);
    const releases: (() => void)[] = [];
    try {
      if (mapping === undefined)
        throw new AssetFailure('origin-blocked', { detail: 'the mapping is no longer configured' });
      const origin = dependencies.originOf(mapping);
      const read = reads.current(encodeAssetKey(asset.key));
      if (read !== undefined) releases.push(read.holdForJob());
      const { copy, origin: facts } = context.record;
      if (context.redo === 'revalidate' && copy !== undefined && facts !== undefined) {
        const newer = await newerFacts(origin, asset.originUrl, facts, context.signal);
        if (newer === undefined) return { state: 'stored', copy, origin: facts };
      }
      const work = async () => {
        const { response, head } = await look(origin, asset.originUrl, read, context.signal);
        const mismatch = await examine(asset, mapping, response, head);
        if (mismatch !== undefined) dependencies.onMismatch?.(asset, mismatch);
        return transfer({ asset, mapping, origin, response, context, read, releases });
      };
      // What clients share does not stop with us, so nothing in it tells of the abort.
      return await untilAborted(context.signal, work());
    } catch (error) {
      context.signal.throwIfAborted();
      if (!(error instanceof AssetFailure)) throw error;
      if (error.reason === 'store-rate-limited') dependencies.onRateLimited?.(error.retryAfterMs);
      return settlementOf(error, context.record.failure?.attempts ?? 0, dependencies.random());
    } finally {
      for (const release of releases) release();
    }
  };

  async function transfer(work: Work): Promise<Settlement> {
    const choice = sources.choose(work.mapping);
    const { redo } = work.context;
    const overwrite = work.mapping.upload.overwrite || redo === 'refresh' || redo === 'revalidate';
    let via = choice.first;
    let result: UploadResult;
    try {
      result = await upload(work, via, overwrite);
    } catch (error) {
      const unreadable = error instanceof AssetFailure && error.reason.startsWith('origin-');
      if (via !== 'remote-url' || !unreadable) throw error;
      if (!choice.fallback) throw ofTheStore(error);
      via = 'bytes';
      result = await upload(work, via, overwrite);
      sources.remoteUrlFailed(work.mapping);
    }
    const first = await verdictOf(work, result);
    if (first.proven) return await settled(work, result, first.proof);
    if (!first.differs) throw new AssetFailure('origin-truncated', { detail: first.detail });
    if (result.existing && !work.context.resumed) {
      throw new AssetFailure('id-collision', {
        detail: `the store has something else under ${result.publicId}: ${first.detail}`,
        hint: 'remove it there, choose another folder, or set upload.overwrite',
      });
    }
    // A copy of ours that is not whole: the store read the origin at a bad moment, or an earlier attempt was cut off.
    result = await upload(work, 'bytes', true);
    const second = await verdictOf(work, result);
    if (second.proven) return await settled(work, result, second.proof);
    throw new AssetFailure('origin-truncated', { detail: second.detail });
  }

  async function upload(work: Work, via: 'remote-url' | 'bytes', overwrite: boolean): Promise<UploadResult> {
    const { asset, mapping, context } = work;
    context.signal.throwIfAborted();
    const there = via === 'bytes' && !overwrite ? await alreadyThere(work) : undefined;
    if (there !== undefined) return there;
    const source: UploadSource = via === 'remote-url' ? remoteUrlOf(work) : await bytesOf(work);
    dependencies.onProgress?.(asset, via);
    try {
      const result = await store.upload({
        source,
        target: { publicId: asset.publicId, resourceType: asset.resourceType, deliveryType: asset.deliveryType },
        options: uploadOptionsOf(mapping, asset, overwrite),
        signal: context.signal,
      });
      if (result.bytes <= mapping.allow.maxBytes) return result;
      // An origin that states no length, read by the store. What nobody may be sent to has no business there.
      const ours = !result.existing && context.record.copy === undefined;
      if (ours) await store.remove(result).catch(() => {});
      throw tooLarge(mapping.allow.maxBytes);
    } catch (error) {
      // An origin that breaks off in mid-body makes the upload fail too; the cause is what the operator must see.
      throw (via === 'bytes' ? work.read?.failure : undefined) ?? error;
    }
  }

  /**
   * Asks the store before a large object is sent: an earlier attempt may have got through, or the ledger was lost.
   * For small ones the upload itself asks (`existing`), and costs less than a call of the account's Admin API.
   */
  async function alreadyThere({ asset, response }: Work): Promise<UploadResult | undefined> {
    const { publicId, resourceType, deliveryType } = asset;
    if (resourceType === 'auto' || (response.length ?? 0) < worthAskingBytes) return undefined;
    // Who cannot be asked is sent the bytes; what is wrong with it shows then.
    const there = await store.describe({ publicId, resourceType, deliveryType }).catch(() => undefined);
    return there === undefined ? undefined : { ...there, existing: true };
  }

  async function bytesOf(work: Work): Promise<UploadSource> {
    const read = readOf(work);
    const { length } = await read.response;
    const { maxBytes } = work.mapping.allow;
    return {
      kind: 'bytes',
      filename: work.asset.filename,
      ...(length === undefined ? {} : { length }),
      open: (start) => {
        const body = read.attach(start) ?? notKept(work, read, start);
        return limited(body, maxBytes - start, maxBytes);
      },
    };
  }

  /** The shared read, started if there is none. */
  function readOf(work: Work): SharedRead {
    work.context.signal.throwIfAborted();
    if (work.read === undefined) {
      const { asset, origin } = work;
      work.read = reads.join(encodeAssetKey(asset.key), (signal) => origin.open({ url: asset.originUrl, signal }));
      work.releases.push(work.read.holdForJob());
    }
    return work.read;
  }

  async function verdictOf(work: Work, result: UploadResult): Promise<ReturnType<typeof prove>> {
    const { response } = work;
    const stated: Evidence = {
      ...(response.md5 === undefined ? {} : { md5: response.md5 }),
      ...(response.framed && response.length !== undefined ? { length: response.length } : {}),
    };
    if (work.read === undefined) {
      const verdict = prove(result, stated);
      if (verdict.proven || verdict.differs) return verdict;
    }
    const read = readOf(work);
    const [{ framed }, digest] = await Promise.all([read.response, read.digest.catch(() => undefined)]);
    if (digest !== undefined && framed) return prove(result, { read: digest });
    // Our own read broke off, which says nothing of the store's; what the origin states may still prove it.
    const verdict = prove(result, stated);
    if (!verdict.proven && !verdict.differs && read.failure !== undefined) throw read.failure;
    return verdict;
  }
}

function remoteUrlOf({ asset, response: { length } }: Work): UploadSource {
  return { kind: 'remote-url', url: asset.originUrl, ...(length === undefined ? {} : { length }) };
}

async function settled(work: Work, result: UploadResult, proof: Proof): Promise<Settlement> {
  const { existing: _, ...stored } = result;
  // The origin may have changed between the look and the read: what is told of the copy is what came with its bytes.
  const { facts } = proof === 'read' && work.read !== undefined ? await work.read.response : work.response;
  return { state: 'stored', copy: { ...stored, proof }, origin: facts };
}

/** We have just been given the object, so whatever the store says of the origin, the object is not missing. */
function ofTheStore(error: AssetFailure): AssetFailure {
  if (error.reason !== 'origin-not-found' && error.reason !== 'origin-gone') return error;
  return new AssetFailure('origin-denied', {
    detail: `the origin gives the object to us but not to the store: ${error.message}`,
    hint: 'let the store in, or set upload.via to auto or bytes',
    cause: error,
  });
}

/** What the shared read has not kept is too large, or the disk is full: then it is read again, from the beginning. */
function notKept({ asset, mapping, origin, context }: Work, read: SharedRead, start: number): Readable {
  if (read.received > mapping.allow.maxBytes) return failing(tooLarge(mapping.allow.maxBytes));
  if (start === 0) return readAgain(origin, asset.originUrl, context.signal);
  return failing(
    new AssetFailure('origin-error', { detail: 'the bytes to go on with were not kept: is the disk full?' }),
  );
}

function failing(error: Error): Readable {
  return new Readable({
    read() {
      this.destroy(error);
    },
  });
}
