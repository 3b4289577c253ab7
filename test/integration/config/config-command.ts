import { Command } from 'commander';
import { registerConfigCommands } from '../../../src/cli/config-check.ts';

// The configuration commands alone, as `lazyferry config …` runs them.
const program = new Command('lazyferry');
registerConfigCommands(program);
await program.parseAsync();
