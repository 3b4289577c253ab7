import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { openLedger } from '../app.ts';
import { type CopyProgress, copyLedger, copyShortfalls } from '../ledger/copy.ts';
import type { Ledger } from '../ledger/ledger.ts';

interface LedgerCopyOptions {
  readonly after?: string;
}

/** `lazyferry ledger copy FROM TO`: from SQLite to Redis, or the other way, without losing anything. */
export function registerLedgerCommands(program: Command): void {
  const ledger = program.command('ledger').description('work on the record of what is stored');
  ledger
    .command('copy')
    .description('copy every record of one ledger into another; safe to repeat, also while the first is in use')
    .argument('<from>', 'sqlite:PATH or a redis URL')
    .argument('<to>', 'sqlite:PATH or a redis URL')
    .option('--after <mark>', 'go on where a copy was broken off')
    .action((from: string, to: string, options: LedgerCopyOptions) => copy(from, to, options));
}

async function copy(fromUrl: string, toUrl: string, { after }: LedgerCopyOptions): Promise<void> {
  if (fromUrl === toUrl) throw new Error('the two ledgers are the same one: name another target');
  const path = pathOf(fromUrl);
  // A driver would make an empty file, and the copy of it would look like a success.
  if (path !== undefined && !existsSync(path)) throw new Error(`there is no ledger ${path}`);
  const opened: Ledger[] = [];
  const open = (url: string) => {
    const ledger = openLedger(url, (message) => void process.stderr.write(`warning: ${message}\n`));
    opened.push(ledger);
    return ledger;
  };
  const stop = new AbortController();
  const onSignal = () => stop.abort();
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  let last: CopyProgress | undefined;
  try {
    const ledgers = { from: open(fromUrl), to: open(toUrl) };
    await Promise.all([ledgers.from.ping(), ledgers.to.ping()]);
    const all = total(await ledgers.from.tally());
    const end = await copyLedger({
      ...ledgers,
      after,
      signal: stop.signal,
      onProgress: (progress) => {
        last = progress;
        process.stderr.write(`${progress.read} of about ${all} records read, ${progress.written} written\n`);
      },
    });
    if (end.next !== undefined) throw new Error('broken off');
    const shortfalls = await copyShortfalls(ledgers);
    for (const { mapping, what, from, to } of shortfalls) {
      process.stderr.write(`${mapping}: ${from} ${what} there, ${to} here\n`);
    }
    if (shortfalls.length > 0)
      throw new Error(
        'the counts differ: the first ledger changed meanwhile, or the second was in use; copy once more',
      );
    process.stdout.write(
      `copied: ${end.written} records written, ${end.kept} were there already; the counts of both ledgers agree\n`,
    );
  } catch (error) {
    if (last?.next !== undefined) process.stderr.write(`to go on from here: --after '${last.next}'\n`);
    throw error;
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
    await Promise.allSettled(opened.map((ledger) => ledger.close()));
  }
}

function pathOf(url: string): string | undefined {
  return url.startsWith('sqlite:') ? url.slice('sqlite:'.length) : undefined;
}

function total(tallies: Awaited<ReturnType<Ledger['tally']>>): number {
  return tallies.flatMap(({ states }) => Object.values(states)).reduce((sum, assets) => sum + assets, 0);
}
