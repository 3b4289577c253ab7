import { AssetFailure } from '../../asset/failure.ts';
import type { Parameters } from '../../cloudinary/signature.ts';
import { AdminRate } from './admin-rate.ts';
import { errorText, type StoreAnswer } from './answer.ts';
import type { ApiClient } from './api-client.ts';
import { type Authentication, authorizeAdmin, authorizeUpload } from './authorization.ts';
import type { CloudinaryAccount } from './cloudinary-url.ts';
import { answerFailure } from './failures.ts';
import { type FilePart, multipart } from './multipart.ts';

export interface UploadCall {
  /** What follows the cloud name, for example `image/upload`. */
  readonly path: string;
  readonly parameters: Parameters;
  readonly file?: FilePart;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sending it twice does no harm. */
  readonly repeatable: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** The account's two APIs: calls are authorised, and only what succeeded comes back. */
export class AccountApi {
  readonly #account: CloudinaryAccount;
  readonly #authentication: Authentication;
  readonly #client: ApiClient;
  readonly #now: () => number;
  readonly #rate = new AdminRate();
  readonly #secrets: readonly string[];

  constructor(
    account: CloudinaryAccount,
    authentication: Authentication,
    client: ApiClient,
    now: () => number = Date.now,
  ) {
    this.#account = account;
    this.#authentication = authentication;
    this.#client = client;
    this.#now = now;
    const { apiKey, apiSecret, oauthToken } = account;
    this.#secrets = [apiSecret, oauthToken, Buffer.from(`${apiKey}:${apiSecret}`).toString('base64')].filter(
      (secret) => secret !== undefined,
    );
  }

  get authentication(): Authentication {
    return this.#authentication;
  }

  /** A call of the Upload API. @throws {AssetFailure} */
  async upload(call: UploadCall): Promise<StoreAnswer> {
    return this.#post(call, this.#authentication);
  }

  /** A call of the Upload API that is never unsigned. @throws {AssetFailure} `store-auth` without credentials */
  async manage(call: UploadCall): Promise<StoreAnswer> {
    return this.#post(call, this.#authentication === 'unsigned' ? 'signature' : this.#authentication);
  }

  /** A reading call of the Admin API; undefined where Cloudinary says there is no such thing. @throws {AssetFailure} */
  async read(path: string, signal?: AbortSignal): Promise<StoreAnswer | undefined> {
    this.#rate.check(this.#now());
    const answer = await this.#client.request({
      method: 'GET',
      path: this.#path(path),
      headers: authorizeAdmin(this.#account),
      repeatable: true,
      ...(signal !== undefined && { signal }),
    });
    this.#rate.note(answer, this.#now());
    // A 404 of something else (a wrong host, a proxy) must not pass for "not stored": Cloudinary's has its envelope.
    if (answer.status === 404 && answer.json !== undefined && errorText(answer) !== undefined) return undefined;
    return this.#succeeded(answer, false);
  }

  /** Rejects unless Cloudinary answers and knows the account; busy is well. @throws {AssetFailure} */
  async ping(): Promise<void> {
    if (this.#account.apiSecret === undefined && this.#account.oauthToken === undefined) return this.#pingUnknown();
    try {
      const answer = await this.read('ping');
      if (answer === undefined) throw new AssetFailure('store-auth', { detail: 'the store does not know this cloud' });
    } catch (error) {
      if (!(error instanceof AssetFailure) || error.reason !== 'store-rate-limited') throw error;
    }
  }

  /** Without credentials any answer of Cloudinary's is a good one. */
  async #pingUnknown(): Promise<void> {
    const answer = await this.#client.request({
      method: 'GET',
      path: this.#path('ping'),
      headers: {},
      repeatable: true,
    });
    if (answer.status >= 500 || (answer.status !== 200 && errorText(answer) === undefined)) {
      throw this.#failure(answer, false);
    }
  }

  async #post(call: UploadCall, authentication: Authentication): Promise<StoreAnswer> {
    const { parameters, headers } = authorizeUpload(this.#account, authentication, call.parameters, this.#now());
    const body = multipart(parameters, call.file);
    const answer = await this.#client.request({
      method: 'POST',
      path: this.#path(call.path),
      headers: { ...headers, ...call.headers },
      body,
      repeatable: call.repeatable,
      ...(call.signal !== undefined && { signal: call.signal }),
    });
    return this.#succeeded(answer, call.file !== undefined && 'url' in call.file);
  }

  #succeeded(answer: StoreAnswer, remoteUrl: boolean): StoreAnswer {
    if (answer.status !== 200 || answer.json === undefined || answer.json.error !== undefined) {
      throw this.#failure(answer, remoteUrl);
    }
    return answer;
  }

  #failure(answer: StoreAnswer, remoteUrl: boolean): AssetFailure {
    return answerFailure(answer, { remoteUrl, now: this.#now(), secrets: this.#secrets });
  }

  #path(path: string): string {
    return `/v1_1/${this.#account.cloudName}/${path}`;
  }
}
