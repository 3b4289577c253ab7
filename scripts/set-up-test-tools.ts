// `npm pretest`: the programs the tests run are there, or are installed, or the developer learns in one line which are
// missing. Nothing is started and nothing is asked; where all is there it costs one look into the PATH.
import { spawnSync } from 'node:child_process';
import { findExecutable } from '../test/support/executable.ts';
import { adviceFor, installCommand, type TestTool, testTools } from './test-tools.ts';

function missingTools(): TestTool[] {
  return testTools.filter((tool) => findExecutable(...tool.programs) === undefined);
}

/** Runs the installation; its output is shown only where it fails, because only then anybody wants to read it. */
function install(missing: readonly TestTool[]): void {
  const command = installCommand(missing, {
    platform: process.platform,
    root: process.getuid?.() === 0,
    aptGet: findExecutable('apt-get'),
    sudo: findExecutable('sudo'),
  });
  if (command === undefined) return;
  const [program = '', ...args] = command;
  console.log(`Installing for the tests: ${missing.map((tool) => tool.programs[0]).join(', ')}`);
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  if (status !== 0) console.error(`${stdout ?? ''}${stderr ?? ''}`.split('\n').slice(-20).join('\n'));
}

if (missingTools().length > 0) {
  install(missingTools());
  const missing = missingTools();
  if (missing.length > 0) {
    console.error(adviceFor(missing, process.platform));
    process.exitCode = 1;
  }
}
