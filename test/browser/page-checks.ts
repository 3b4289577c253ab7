import type { Page } from 'playwright-core';

/** Texts whose contrast to their background is below WCAG 2 AA (4.5, or 3 for large text), with the ratio. */
export async function weakTexts(page: Page): Promise<string[]> {
  return await page.evaluate(`(() => {
    const channels = (colour) => (colour.match(/[\\d.]+/g) ?? []).map(Number);
    const opaque = (colour) => { const [, , , alpha = 1] = channels(colour); return alpha === 1 && colour !== 'transparent'; };
    const luminance = (colour) => {
      const [red, green, blue] = channels(colour).slice(0, 3).map((value) => {
        const share = value / 255;
        return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const backgroundOf = (node) => {
      for (let at = node; at !== null; at = at.parentElement) {
        const { backgroundColor } = getComputedStyle(at);
        if (opaque(backgroundColor)) return backgroundColor;
      }
      return 'rgb(255, 255, 255)';
    };
    const weak = [];
    for (const node of document.body.querySelectorAll('*')) {
      const own = [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim() !== '');
      if (!own || !node.checkVisibility()) continue;
      const style = getComputedStyle(node);
      const pair = [luminance(style.color), luminance(backgroundOf(node))].sort((a, b) => b - a);
      const ratio = (pair[0] + 0.05) / (pair[1] + 0.05);
      const size = parseFloat(style.fontSize);
      const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
      if (ratio < (large ? 3 : 4.5)) weak.push(ratio.toFixed(2) + ' ' + node.tagName + ' ' + node.textContent.slice(0, 40));
    }
    return weak;
  })()`);
}

/** Controls that a screen reader could not name. */
export async function namelessControls(page: Page): Promise<string[]> {
  return await page.evaluate(`[...document.querySelectorAll('button, input, select, a[href], [role="img"], dialog')]
    .filter((node) => node.checkVisibility())
    .filter((node) => {
      const labels = [...(node.labels ?? [])].map((label) => label.textContent.trim()).join('');
      const name = node.getAttribute('aria-label') ?? (labels || (node.tagName === 'INPUT' ? '' : node.textContent.trim()));
      return name === '';
    })
    .map((node) => node.outerHTML.slice(0, 120))`);
}

/** How many pixels the page is wider than the window. */
export async function overflow(page: Page): Promise<number> {
  return await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
}
