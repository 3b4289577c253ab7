/** Where a value stands in the configuration: keys and list positions, outermost first. */
export type ConfigPath = readonly (string | number)[];

/** One thing that is wrong, or (as a warning) doubtful. Holds no secret. */
export interface ConfigProblem {
  /** The file, or what stands for it: `--map /images/=…`, `environment`. */
  readonly file: string;
  /** 1-based; absent where no line is to blame. */
  readonly line?: number;
  readonly column?: number;
  /** As written in JavaScript: `mappings[0].cold`; empty for the file as a whole. */
  readonly key: string;
  readonly message: string;
  /** What would be right. */
  readonly mend?: string;
}

/** The configuration cannot be used: everything that is wrong with it, at once. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    super(problems.map(formatProblem).join('\n'));
    this.problems = problems;
  }
}

/** `lazyferry.yaml:14:5 mappings[0].cold: "passthru" is not one of … — did you mean passthrough?` */
export function formatProblem({ file, line, column, key, message, mend }: ConfigProblem): string {
  const place = line === undefined ? file : `${file}:${line}:${column ?? 1}`;
  const subject = key === '' ? `${place}: ` : `${place} ${key}: `;
  return printable(`${subject}${message}${mend === undefined ? '' : ` — ${mend}`}`);
}

/** `['mappings', 0, 'cold']` → `mappings[0].cold` */
export function formatPath(path: ConfigPath): string {
  return path.reduce<string>((written, part) => {
    if (typeof part === 'number') return `${written}[${part}]`;
    if (!/^[A-Za-z_][\w-]*$/.test(part)) return `${written}[${JSON.stringify(part)}]`;
    return written === '' ? part : `${written}.${part}`;
  }, '');
}

/** A file may hold anything; what is printed of it must not steer a terminal or fake a second line. */
function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029]/gu, (character) => JSON.stringify(character).slice(1, -1));
}
