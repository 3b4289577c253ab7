/** Longest data URI or remote URL in `file`, in characters (contract §2.4). */
export const MAX_REFERENCE_LENGTH = 62_910_000;
/** Longest value of any other parameter. */
export const MAX_FIELD_LENGTH = 1_000_000;
export const MAX_FIELDS = 500;
