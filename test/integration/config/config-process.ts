import { statSync } from 'node:fs';
import { loadConfig } from '../../../src/config/load.ts';
import { watchConfig } from '../../../src/config/reload.ts';

// A process that watches the configuration named by LAZYFERRY_CONFIG and tells what it sees: one JSON object a line.
// With TELL_READS also each good reading, by the size of the file.
const say = (event: object) => process.stdout.write(`${JSON.stringify(event)}\n`);
const load = () => {
  const loaded = loadConfig({ environment: process.env });
  if (process.env.TELL_READS !== undefined && loaded.file !== undefined) say({ read: statSync(loaded.file).size });
  return loaded;
};

const current = load();
const stop = watchConfig({
  current,
  load,
  onChange: ({ config }, waiting) => {
    const changed = config.mappings.map(({ prefix }) => prefix);
    say(waiting.length === 0 ? { changed } : { changed, waiting });
  },
  onError: (error) => say({ failed: String(error) }),
});
say({ watching: current.config.mappings.map(({ prefix }) => prefix) });

// The watch alone keeps no process alive; the parent ends this one by closing its standard input.
process.stdin.on('end', stop).resume();
