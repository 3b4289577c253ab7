import { ByteBudget } from '../../../origin/byte-budget.ts';
import { StoreError } from '../../store-error.ts';

/**
 * What requests may take before anybody knows who sends them: the signature covers all parameters, so they are read
 * first. Of the whole process, as memory and disk are.
 */
const memory = new ByteBudget(256 << 20);
const disk = new ByteBudget(1 << 30);

/** Memory that each request has of its own, so that what others send never keeps usual parameters out. */
const own = 32 << 10;

/** What one request holds of the memory and the disk of everybody. Give it back when its sender is known. */
export class Allowance {
  #received = 0;
  #memory = 0;
  #disk = 0;

  /** So many more bytes of parameters stay in memory. @throws {StoreError} 503 */
  hold(bytes: number): void {
    this.#received += bytes;
    const wanted = Math.max(0, this.#received - own) - this.#memory;
    if (wanted > 0 && !memory.take(wanted)) throw tooMuch();
    this.#memory += Math.max(0, wanted);
  }

  /** A file of so many bytes at most comes from somebody unknown. @throws {StoreError} 503 */
  reserve(bytes: number): void {
    if (!disk.take(bytes)) throw tooMuch();
    this.#disk += bytes;
  }

  giveBack(): void {
    memory.give(this.#memory);
    disk.give(this.#disk);
    this.#memory = 0;
    this.#disk = 0;
  }
}

function tooMuch(): StoreError {
  return new StoreError(503, 'Too many uploads at a time by senders who are not known yet', { 'retry-after': '1' });
}
