/** Longest data URI or remote URL in `file`, in characters (contract §2.4). */
export const MAX_REFERENCE_LENGTH = 62_910_000;
/** Longest value of any other parameter. */
export const MAX_FIELD_LENGTH = 1_000_000;
export const MAX_FIELDS = 500;
/** Characters of all parameters of a request together, their names included. */
export const MAX_FIELDS_LENGTH = 2_000_000;

/** Milliseconds of silence within a request's body: an origin that is read meanwhile may be slow by nature. */
export const MAX_SILENCE = 300_000;
