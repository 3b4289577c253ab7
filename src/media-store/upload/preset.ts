import type { Field, Fields } from './intake/submission.ts';

export interface UploadPreset {
  readonly name: string;
  /** Whether uploads without authentication may use it. */
  readonly unsigned: boolean;
  /** Upload parameters by name. */
  readonly settings: Readonly<Record<string, string>>;
}

/** Parameters whose values add up, with what stands between two of them. */
const separators: Readonly<Record<string, string>> = { tags: ',', context: '|', metadata: '|' };

/**
 * The parameters that count: signed, the request's over the preset's; unsigned, the preset's over the request's,
 * where lists of both are merged (contract §2.5, upload_preset).
 */
export function withPreset(fields: Fields, preset: UploadPreset | undefined, isUnsigned: boolean): Fields {
  if (preset === undefined) return fields;
  const merged = new Map<string, Field>(fields);
  for (const [name, value] of Object.entries(preset.settings)) {
    const sent = merged.get(name);
    const separator = separators[name];
    if (sent === undefined || sent === '') merged.set(name, value);
    else if (isUnsigned) merged.set(name, separator === undefined ? value : `${value}${separator}${joined(sent)}`);
  }
  return merged;
}

function joined(field: Field): string {
  return typeof field === 'string' ? field : field.join(',');
}
