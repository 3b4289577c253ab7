/** For an option that may be given several times: `--map A=… --map B=…`. */
export function collect(value: string, earlier: readonly string[]): readonly string[] {
  return [...earlier, value];
}
