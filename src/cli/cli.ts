import { Command } from 'commander';
import { registerConfigCommands } from './config-check.ts';
import { registerLedgerCommands } from './ledger-copy.ts';
import { registerServe } from './serve.ts';
import { registerStore } from './store.ts';
import { version } from './version.ts';

/** Runs the command that `argv` (with node and script before it) names. Sets the exit code; never throws. */
export async function run(argv: readonly string[]): Promise<void> {
  const program = new Command('lazyferry')
    .description(
      'Lazy-migration auto-upload proxy: every asset goes to Cloudinary the first time somebody asks for it.',
    )
    .version(version)
    .showHelpAfterError();
  registerServe(program);
  registerStore(program);
  registerConfigCommands(program);
  registerLedgerCommands(program);
  try {
    await program.parseAsync(argv);
  } catch (error) {
    process.stderr.write(`lazyferry: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
