/**
 * Writes a small PDF (ISO 32000-1), one page for each list of lines, in a font that every reader has built in.
 * Text must be printable ASCII.
 */
export function makePdf(title: string, pages: readonly (readonly string[])[]): Buffer {
  const firstPage = 4;
  const pageNumbers = pages.map((_, index) => firstPage + index * 2);
  const objects = [
    `<< /Type /Catalog /Pages 2 0 R >>`,
    `<< /Type /Pages /Count ${pages.length} /Kids [${pageNumbers.map((number) => `${number} 0 R`).join(' ')}] >>`,
    `<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>`,
    ...pages.flatMap((lines, index) => [
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 420 595] /Contents ${firstPage + index * 2 + 1} 0 R ` +
        `/Resources << /Font << /F1 3 0 R >> >> >>`,
      contentStream(lines),
    ]),
    `<< /Title (${escapeText(title)}) /Producer (lazyferry sample) >>`,
  ];
  let file = '%PDF-1.4\n';
  const offsets = objects.map((object, index) => {
    const offset = file.length;
    file += `${index + 1} 0 obj\n${object}\nendobj\n`;
    return offset;
  });
  const xref = file.length;
  file += `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n`;
  for (const offset of offsets) file += `${String(offset).padStart(10, '0')} 00000 n \n`;
  file += `trailer\n<< /Size ${objects.length + 1} /Root 1 0 R /Info ${objects.length} 0 R >>\n`;
  file += `startxref\n${xref}\n%%EOF\n`;
  return Buffer.from(file, 'ascii');
}

function contentStream(lines: readonly string[]): string {
  const text = lines.map((line, index) => `${index === 0 ? '' : 'T* '}(${escapeText(line)}) Tj`).join('\n');
  const stream = `BT\n/F1 16 Tf\n24 TL\n40 520 Td\n${text}\nET`;
  return `<< /Length ${stream.length} >>\nstream\n${stream}\nendstream`;
}

function escapeText(text: string): string {
  return text.replace(/[\\()]/g, '\\$&');
}
