import type { Command } from 'commander';
import { stringify } from 'yaml';
import { type LoadedConfig, loadConfig } from '../config/load.ts';
import { ConfigError, formatProblem } from '../config/problem.ts';
import { redactConfig } from '../config/redact.ts';
import { collect } from './repeatable.ts';

interface ConfigOptions {
  readonly config?: string;
  readonly map: readonly string[];
}

/** Registers `config check` and `config print`. Exit code 1 and every problem on standard error when it is broken. */
export function registerConfigCommands(program: Command): void {
  const config = program.command('config').description('check or show the configuration');
  const command = (name: string, description: string) =>
    config
      .command(name)
      .description(description)
      .option('-c, --config <file>', 'configuration file; else LAZYFERRY_CONFIG')
      .option('-m, --map <prefix=url>', 'a mapping besides those of the file', collect, []);

  command('check', 'check the configuration and say everything that is wrong with it').action(
    (options: ConfigOptions) =>
      withConfig(options, ({ config: { mappings }, file }) => {
        const count = mappings.length === 1 ? '1 mapping' : `${mappings.length} mappings`;
        process.stdout.write(`${file ?? 'the configuration'} is valid: ${count}\n`);
      }),
  );
  command('print', 'print the configuration with every default in place and without its secrets').action(
    (options: ConfigOptions) =>
      withConfig(options, (loaded) => {
        process.stdout.write(stringify(redactConfig(loaded.config)));
      }),
  );
}

function withConfig({ config, map }: ConfigOptions, use: (loaded: LoadedConfig) => void): void {
  try {
    const loaded = loadConfig({ environment: process.env, file: config, maps: map });
    for (const warning of loaded.warnings) process.stderr.write(`warning: ${formatProblem(warning)}\n`);
    use(loaded);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
