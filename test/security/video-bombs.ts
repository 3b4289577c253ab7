/** What a 32-bit number can claim at most. */
const most = 0xffffffff;
const unityMatrix = words(0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000);
const samplesOfOneSize = [
  box('stts', words(0, 1, most, 1)),
  box('stsz', words(0, 1, most)),
  box('stsc', words(0, 1, 1, most, 1)),
  box('stco', words(0, 1, 40)),
];
const noSamples = ['stts', 'stsc', 'stco'].map((type) => box(type, words(0, 0))).concat(box('stsz', words(0, 0, 0)));

/** MP4 files of less than a kilobyte, in order but for how many samples they claim (ISO/IEC 14496-12). */
export const videoBombs: readonly { readonly name: string; readonly body: Buffer }[] = [
  { name: 'an MP4 of four thousand million samples', body: mp4(samplesOfOneSize) },
  {
    name: 'an MP4 of four thousand million samples to be put in order',
    body: mp4([...samplesOfOneSize, box('ctts', words(0, 1, most, 1))]),
  },
  {
    name: 'an MP4 of four thousand million samples in a fragment',
    body: Buffer.concat([
      mp4(noSamples, box('mvex', box('trex', words(0, 1, 1, 1, 1, 0)))),
      box(
        'moof',
        box('mfhd', words(0, 1)),
        box('traf', box('tfhd', words(0x20000, 1)), box('tfdt', words(0, 0)), box('trun', words(1, most, 0))),
      ),
    ]),
  },
];

function mp4(sampleTable: readonly Buffer[], ...more: readonly Buffer[]): Buffer {
  const media = box(
    'mdia',
    box('mdhd', words(0, 0, 0, 1000, 1000, 0x55c40000)),
    box('hdlr', words(0, 0), Buffer.from('vide'), words(0, 0, 0, 0)),
    box('minf', box('vmhd', words(1, 0, 0)), box('stbl', box('stsd', words(0, 1), videoOf64Pixels()), ...sampleTable)),
  );
  const header = box('tkhd', words(3, 0, 0, 1, 0, 1000, 0, 0, 0, 0), unityMatrix, words(64 << 16, 64 << 16));
  const movie = box(
    'mvhd',
    words(0, 0, 0, 1000, 1000, 0x10000, 0x01000000, 0, 0),
    unityMatrix,
    words(0, 0, 0, 0, 0, 0, 2),
  );
  return Buffer.concat([
    box('ftyp', Buffer.from('mp42'), words(0), Buffer.from('mp42isom')),
    box('moov', movie, box('trak', header, media), ...more),
    box('mdat', Buffer.alloc(100)),
  ]);
}

function videoOf64Pixels(): Buffer {
  const description = Buffer.alloc(78);
  description[7] = 1;
  description.writeUInt16BE(64, 24);
  description.writeUInt16BE(64, 26);
  const parameters = [1, 0x42, 0, 0x1e, 0xff, 0xe1, 0, 4, 0x67, 0x42, 0, 0x1e, 1, 0, 2, 0x68, 0xce];
  return box('avc1', description, box('avcC', Buffer.from(parameters)));
}

function box(type: string, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat([Buffer.from(type, 'latin1'), ...parts]);
  return Buffer.concat([words(content.length + 4), content]);
}

function words(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value >>> 0, index * 4);
  return bytes;
}
