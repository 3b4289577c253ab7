import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import { ConfigError, type ConfigPath, type ConfigProblem, formatPath } from './problem.ts';

/** A parsed file: plain values, and where each of them stands. */
export interface ConfigDocument {
  readonly file: string;
  /** Objects have no prototype, so a key such as `__proto__` is a key like any other. */
  readonly value: Readonly<Record<string, unknown>>;
  /** The place of the key or list item, or of the nearest thing around it. */
  locate(path: ConfigPath): { readonly line: number; readonly column: number };
}

/** Aliases count each time they are used: these two end a billion laughs and an alias within its own anchor. */
const mostValues = 20_000;
const deepest = 32;
const tooLarge = `a configuration has at most ${mostValues} values, ${deepest} levels deep, with aliases written out`;

/**
 * Parses one YAML 1.2 document whose top is a mapping. An empty one has no keys.
 *
 * @throws {ConfigError} with the first syntax error, or else with every key that cannot be used
 */
export function parseConfigDocument(file: string, source: string): ConfigDocument {
  const lines = new LineCounter();
  const problems: ConfigProblem[] = [];
  const place = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const report = (offset: number, path: ConfigPath, message: string, mend?: string) => {
    problems.push({ file, ...place(offset), key: formatPath(path), message, ...(mend === undefined ? {} : { mend }) });
  };

  const document = parse(source, lines);
  // The errors behind the first one are its echoes.
  const [syntaxError] = [...document.errors, ...document.warnings];
  if (syntaxError !== undefined) {
    const [offset] = syntaxError.pos;
    report(offset, [], syntaxMessage(syntaxError), syntaxMend(syntaxError.code, lineAt(source, offset)));
    throw new ConfigError(problems);
  }

  const reader = new DocumentReader(document, report, problems);
  const value = reader.read(document.contents, []) ?? Object.create(null);
  if (problems.length === 0 && (typeof value !== 'object' || Array.isArray(value))) {
    report(0, [], 'is not a mapping', 'the file holds keys such as mappings: and listen:');
  }
  if (problems.length > 0) throw new ConfigError(problems);

  return {
    file,
    value: value as Record<string, unknown>,
    locate(path) {
      for (let length = path.length; length > 0; length -= 1) {
        const offset = reader.offsets.get(formatPath(path.slice(0, length)));
        if (offset !== undefined) return place(offset);
      }
      return { line: 1, column: 1 };
    },
  };
}

const syntaxMends: Readonly<Record<string, string>> = {
  RESOURCE_EXHAUSTION: tooLarge,
  TAB_AS_INDENT: 'indent with spaces',
  MULTIPLE_DOCS: 'one file holds one configuration: remove the --- line',
  TAG_RESOLVE_FAILED: 'remove the tag',
  UNRESOLVED_ALIAS: 'put a text that begins with * in quotes',
};

function syntaxMessage({ code, message }: { code: string; message: string }): string {
  if (code === 'RESOURCE_EXHAUSTION') return 'is nested too deeply';
  // The library quotes the text it stumbles over, and that may be a secret.
  return message.replace(/: ".*$/s, '');
}

function syntaxMend(code: string, line: string): string {
  const reference = line.indexOf('${');
  if (reference > 0 && /[{[]/.test(line.slice(0, reference))) {
    return 'put ${NAME} in quotes where it stands within { } or [ ]';
  }
  return syntaxMends[code] ?? 'check indentation, quotes and brackets here and in the line above';
}

function lineAt(source: string, offset: number): string {
  const end = source.indexOf('\n', offset);
  return source.slice(source.lastIndexOf('\n', Math.max(offset - 1, 0)) + 1, end === -1 ? undefined : end);
}

function parse(source: string, lines: LineCounter): Document.Parsed {
  // Duplicate keys are found below, where the first one's line is known; pretty errors quote the file.
  return parseDocument(source, { lineCounter: lines, uniqueKeys: false, prettyErrors: false, version: '1.2' });
}

type Report = (offset: number, path: ConfigPath, message: string, mend?: string) => void;

/** Turns nodes into plain values, noting where each stands. */
class DocumentReader {
  readonly offsets = new Map<string, number>();
  readonly #document: Document.Parsed;
  readonly #report: Report;
  readonly #problems: readonly ConfigProblem[];
  #nodes = 0;

  constructor(document: Document.Parsed, report: Report, problems: readonly ConfigProblem[]) {
    this.#document = document;
    this.#report = report;
    this.#problems = problems;
  }

  read(node: Node | null, path: ConfigPath): unknown {
    const offset = node?.range?.[0] ?? 0;
    this.#nodes += 1;
    if (this.#nodes > mostValues || path.length > deepest) {
      this.#report(offset, path.slice(0, 3), 'is too large or too deep', tooLarge);
      throw new ConfigError(this.#problems);
    }
    if (isAlias(node)) {
      const target = node.resolve(this.#document);
      if (target !== undefined) return this.read(target, path);
      this.#report(offset, path, `there is no anchor &${node.source}`, syntaxMends.UNRESOLVED_ALIAS);
      return undefined;
    }
    if (isMap<Node, Node | null>(node)) return this.#readMap(node, path);
    if (isSeq<Node | null>(node)) {
      return node.items.map((item, index) => {
        const itemPath = [...path, index];
        this.#note(itemPath, item);
        return this.read(item, itemPath);
      });
    }
    return isScalar(node) ? node.value : null;
  }

  #readMap(node: { items: readonly { key: Node; value: Node | null }[] }, path: ConfigPath): Record<string, unknown> {
    const values: Record<string, unknown> = Object.create(null);
    for (const { key, value } of node.items) {
      const offset = key?.range?.[0] ?? 0;
      if (!isScalar(key) || key.value === null) {
        this.#report(offset, path, 'has a key that is not a text', 'put a text that begins with a bracket in quotes');
        continue;
      }
      const name = typeof key.value === 'string' ? key.value : (key.source ?? String(key.value));
      const memberPath = [...path, name];
      if (Object.hasOwn(values, name)) {
        this.#report(offset, memberPath, 'is written twice', 'keep one of the two');
        continue;
      }
      this.#note(memberPath, key);
      values[name] = this.read(value, memberPath);
    }
    return values;
  }

  #note(path: ConfigPath, node: Node | null): void {
    const offset = node?.range?.[0];
    if (offset !== undefined) this.offsets.set(formatPath(path), offset);
  }
}
