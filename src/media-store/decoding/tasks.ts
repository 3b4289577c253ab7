import { detectFormat } from '../analysis/format.ts';
import { analyseImage } from '../analysis/image.ts';
import { readExtra } from '../analysis/read-extra.ts';
import type { analyseVideo } from '../analysis/video.ts';
import { render } from '../transformation/render.ts';

/**
 * Everything that reads what is inside of a stored file. Each runs in a process of its own (`decoder.ts`): arguments
 * and results are plain data.
 */
export const tasks = {
  detectFormat,
  analyseImage,
  readExtra,
  render,
  // Most files are pictures, and this one's library takes half of a decoder's start.
  analyseVideo: async (...args: Parameters<typeof analyseVideo>) =>
    (await import('../analysis/video.ts')).analyseVideo(...args),
};

export type Tasks = typeof tasks;

export interface TaskRequest {
  readonly name: keyof Tasks;
  readonly args: readonly unknown[];
}

export type TaskReply =
  | { readonly kind: 'done'; readonly value: unknown }
  /** A `StoreError`. */
  | { readonly kind: 'refused'; readonly status: number; readonly message: string }
  | { readonly kind: 'failed'; readonly message: string };
