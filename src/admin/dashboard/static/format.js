const number = new Intl.NumberFormat('en');
const oneDigit = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });

/** @param {number} value */
export function count(value) {
  return number.format(value);
}

/** @param {number} bytes */
export function size(bytes) {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${oneDigit.format(value)} ${units[unit]}`;
}

/**
 * A share from 0 to 1. Never rounds up to 100 %: that number means that nothing is left.
 * @param {number | null} share
 */
export function percent(share) {
  if (share === null) return '–';
  return share === 1 ? '100 %' : `${oneDigit.format(Math.min(Math.floor(share * 1000) / 10, 99.9))} %`;
}

/** @param {string | null | undefined} iso */
export function ago(iso) {
  if (!iso) return '–';
  const seconds = Math.round((Date.parse(iso) - Date.now()) / 1000);
  for (const [unit, length] of /** @type {const} */ ([
    ['day', 86_400],
    ['hour', 3600],
    ['minute', 60],
  ])) {
    if (Math.abs(seconds) >= length) return relative.format(Math.trunc(seconds / length), unit);
  }
  return relative.format(seconds, 'second');
}

/** @param {string | null | undefined} iso */
export function moment(iso) {
  return iso ? new Date(iso).toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'medium' }) : '–';
}

/**
 * A percent-encoded path as people read it. What would be ambiguous (an encoded slash or percent sign) or could
 * deceive (control and direction characters) stays encoded.
 * @param {string} path
 */
export function readable(path) {
  try {
    const decoded = decodeURI(path);
    return path.includes('%25') || /\p{C}|[^\P{Z} ]| $/u.test(decoded) ? path : decoded;
  } catch {
    return path;
  }
}
