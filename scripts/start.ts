/**
 * `npm start`: the main job with no configuration at all. Without arguments it also starts the sample origin. With
 * `--map PREFIX=URL` it does the same for the user's own origin; with `--config FILE` nothing but what the file names
 * is started.
 */
import { parseArgs } from 'node:util';
import { freeAddress } from '../sample/free-address.ts';
import { startSampleOrigin } from '../sample/origin.ts';
import { type Serving, serve } from '../src/cli/serve.ts';
import type { LoadOptions } from '../src/config/load.ts';

const { values } = parseArgs({
  options: {
    config: { type: 'string', short: 'c' },
    map: { type: 'string', short: 'm', multiple: true, default: [] },
  },
});

try {
  if (values.config !== undefined || process.env.LAZYFERRY_CONFIG !== undefined) {
    await serve({ load: { environment: process.env, file: values.config, maps: values.map }, workers: 1 });
  } else if (values.map.length > 0) {
    await serve({
      load: { environment: process.env, maps: values.map, defaults: await usualAddresses() },
      workers: 1,
      onReady: showMapped,
    });
  } else {
    const origin = await startSampleOrigin(await freeAddress('127.0.0.1', 8099));
    await serve({
      load: { environment: process.env, maps: [`/media/=${origin.url}`], defaults: await usualAddresses() },
      workers: 1,
      onReady: (serving) => showSample(serving, origin.url),
    });
    await origin.close();
  }
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

/** The usual ports where they are free, so that a restart finds everything again; else others. */
async function usualAddresses(): Promise<LoadOptions['defaults']> {
  const [delivery, admin, store] = await Promise.all(
    [8080, 9090, 8090].map(async (wanted) => {
      const { host, port } = await freeAddress('127.0.0.1', wanted);
      return `${host}:${port}`;
    }),
  );
  return { listen: { delivery, admin }, store: { embedded: { listen: store } } };
}

function showSample({ delivery, admin, config }: Serving, origin: string): void {
  const photo = `${delivery}/media/photos/lake.jpg`;
  process.stderr.write(`
lazyferry runs. The old origin of this demonstration is ${origin} (sample/media); copies go to the embedded store.

Three URLs to try, each twice:
  1. ${photo}
       curl -si ${photo} -o /dev/null -D -
       first:     200 with the origin's bytes (cache-status: lazyferry; fwd=uri-miss), while the copy is made
       from then: 302 to the versioned URL of the stored copy (cache-status: lazyferry; hit)
       curl -sL ${photo} | cmp - sample/media/photos/lake.jpg
       no output: the copy is the origin's file, byte for byte
  2. ${delivery}/media/video/lake.mp4
       a video in the browser; seeking works at once, cold or warm (ranges)
  3. ${admin}/
       the dashboard: what is stored, what is not, and why

State is kept in ${config.dataDirectory}: a restart continues where it was. Ctrl-C stops.

`);
}

function showMapped({ delivery, admin, store, config }: Serving): void {
  const lines = config.mappings.map(({ prefix, origin }) => `  ${delivery}${prefix}…  ←  ${origin}…`);
  process.stderr.write(`
lazyferry runs; copies go to ${store ?? 'the configured account'}.

${lines.join('\n')}

Ask for any asset below these twice: the first answer comes from the origin, the second leads to the stored copy.
Dashboard: ${admin}/    State: ${config.dataDirectory}    Ctrl-C stops.

`);
}
