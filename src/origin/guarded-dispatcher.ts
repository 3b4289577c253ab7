import { type LookupAddress, lookup as systemLookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { Agent, buildConnector, type Dispatcher } from 'undici';
import { wholeBodies } from '../http/whole-bodies.ts';
import { type AddressPolicy, type AddressRefusal, judgeAddress } from './address-guard.ts';

/** All addresses of a name, as `dns.lookup` with `all` gives them. Injectable so that a test can change its answer. */
export type ResolveName = (name: string) => Promise<readonly LookupAddress[]>;

export interface GuardedDispatcherOptions extends AddressPolicy {
  /** Connections at a time to one origin. */
  readonly connections: number;
  /** Milliseconds for the name and the connection together. */
  readonly connectTimeout: number;
  /** Milliseconds from a request that is sent to the end of the answer's headers. */
  readonly headersTimeout: number;
  /** Milliseconds of silence within a body; 0 where the caller watches over it. */
  readonly bodyTimeout: number;
  readonly resolve?: ResolveName;
  /** Certificates to trust besides the system's, in PEM. */
  readonly ca?: string;
  /** Makes the pool of connections of each host; undici's own unless told. */
  readonly factory?: Agent.Options['factory'];
}

/** No address of the host may be connected to. */
export class AddressBlocked extends Error {
  override readonly name = 'AddressBlocked';

  constructor(host: string, address: string, refusal: AddressRefusal) {
    super(host === address ? `${address} is ${refusal}` : `${host} leads to ${address}, which is ${refusal}`);
  }
}

/**
 * An undici dispatcher that connects to allowed addresses only. Make one and keep it: it holds the connections.
 *
 * A name is resolved once, every address is judged, and the socket gets the allowed ones: there is no second look-up
 * that could answer otherwise (DNS rebinding). HTTP/1.1 only, no pipelining: an answer belongs to one request.
 */
export function createGuardedDispatcher(options: GuardedDispatcherOptions): Dispatcher {
  const connect = buildConnector({
    allowH2: false,
    timeout: options.connectTimeout,
    lookup: guardedLookup(options, options.resolve ?? resolveBySystem),
    ...(options.ca === undefined ? {} : { ca: options.ca }),
  });
  const agent = new Agent({
    allowH2: false,
    pipelining: 1,
    connections: options.connections,
    headersTimeout: options.headersTimeout,
    bodyTimeout: options.bodyTimeout,
    maxHeaderSize: 16_384,
    ...(options.factory === undefined ? {} : { factory: options.factory }),
    connect: (target, callback) => {
      // The look-up hook is never called for a literal, so literals are judged here. undici took the brackets off.
      const refusal = isIP(target.hostname) === 0 ? undefined : judgeAddress(target.hostname, options);
      if (refusal !== undefined) callback(new AddressBlocked(target.hostname, target.hostname, refusal), null);
      else connect(target, callback);
    },
  });
  return agent.compose(wholeBodies);
}

function guardedLookup(policy: AddressPolicy, resolve: ResolveName): LookupFunction {
  return (name, { all }, callback) => {
    resolve(name).then(
      (addresses) => {
        const [first, ...others] = addresses.filter(({ address }) => judgeAddress(address, policy) === undefined);
        if (first === undefined) callback(blocked(name, addresses, policy), '');
        else if (all) callback(null, [first, ...others]);
        else callback(null, first.address, first.family);
      },
      (error: NodeJS.ErrnoException) => callback(error, ''),
    );
  };
}

function blocked(name: string, addresses: readonly LookupAddress[], policy: AddressPolicy): NodeJS.ErrnoException {
  const [first] = addresses;
  if (first === undefined) return Object.assign(new Error(`${name} has no address`), { code: 'ENOTFOUND' });
  return new AddressBlocked(name, first.address, judgeAddress(first.address, policy) ?? 'not an IP address');
}

function resolveBySystem(name: string): Promise<readonly LookupAddress[]> {
  return new Promise((resolve, reject) => {
    systemLookup(name, { all: true, verbatim: true }, (error, addresses) => {
      if (error === null) resolve(addresses);
      else reject(error);
    });
  });
}
