import { type DestinationStream, type Logger, pino } from 'pino';

export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;

export interface LogOptions {
  readonly level: string;
  /** Takes secrets out of a line before it is written. */
  readonly redact: (text: string) => string;
}

/** JSON lines on standard output. Every line goes through the redactor, whatever it is made of. */
export function createLog({ level, redact }: LogOptions): Log {
  const output: DestinationStream = {
    write: (line) => {
      process.stdout.write(redact(line));
    },
  };
  return pino({ level, base: { pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime }, output);
}
