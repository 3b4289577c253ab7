// The program of a decoder process, forked by decoder-process.ts: reads files that somebody else made, one at a time.
import sharp from 'sharp';
import { StoreError } from '../store-error.ts';
import { type TaskReply, type TaskRequest, tasks } from './tasks.ts';

// The next picture is another one.
sharp.cache(false);

process.on('message', async (request: TaskRequest) => {
  const reply = await perform(request);
  process.send?.(reply);
});

// Its time for a file does not begin before it can read one.
process.send?.('ready');

// The store is gone. An orderly exit would wait for the picture that is being drawn.
process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));

async function perform({ name, args }: TaskRequest): Promise<TaskReply> {
  const task = tasks[name] as (...args: readonly unknown[]) => Promise<unknown>;
  try {
    return { kind: 'done', value: await task(...args) };
  } catch (error) {
    if (error instanceof StoreError) return { kind: 'refused', status: error.status, message: error.message };
    return { kind: 'failed', message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}
