/** A request the store refuses: the status and text of its error envelope (contract §5.2). Never holds a secret. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}
