import {
  ADTS,
  FilePathSource,
  FLAC,
  Input,
  type InputAudioTrack,
  type InputVideoTrack,
  MATROSKA,
  MP3,
  MP4,
  MPEG_TS,
  OGG,
  QTFF,
  WAVE,
  WEBM,
} from 'mediabunny';
import type { MediaFacts } from '../index/asset.ts';

// Not the library's whole list: playlists (HLS) name other files, and a stored file must never lead to another one.
const containers = [MP4, QTFF, MATROSKA, WEBM, MP3, WAVE, OGG, ADTS, FLAC, MPEG_TS];

/** A file of a few bytes can claim thousands of millions of packets; rates are told well enough by so many. */
const MOST_PACKETS = 2_000_000;

/** Duration, size, codecs and rates. Undefined where the file is no container we can read. */
export async function analyseVideo(path: string, bytes: number): Promise<MediaFacts | undefined> {
  using input = new Input({ source: new FilePathSource(path), formats: containers });
  if (!(await input.canRead())) return undefined;
  const video = await input.getPrimaryVideoTrack();
  const audio = await input.getPrimaryAudioTrack();
  if (video === null && audio === null) return undefined;
  const duration = await input.computeDuration();
  return {
    pages: 0,
    duration,
    bit_rate: duration > 0 ? Math.round((bytes * 8) / duration) : 0,
    is_audio: video === null,
    ...(video !== null && (await videoFacts(video))),
    ...(audio !== null && { audio: await audioFacts(audio) }),
  };
}

async function videoFacts(track: InputVideoTrack): Promise<MediaFacts> {
  const stats = await track.computePacketStats(MOST_PACKETS);
  return {
    width: await track.getDisplayWidth(),
    height: await track.getDisplayHeight(),
    rotation: await track.getRotation(),
    frame_rate: stats.averagePacketRate,
    ...(stats.packetCount < MOST_PACKETS && { nb_frames: stats.packetCount }),
    video: { codec: codecName(await track.getCodec()), bit_rate: String(Math.round(stats.averageBitrate)) },
  };
}

async function audioFacts(track: InputAudioTrack): Promise<Record<string, string | number>> {
  const stats = await track.computePacketStats(MOST_PACKETS);
  const channels = await track.getNumberOfChannels();
  return {
    codec: codecName(await track.getCodec()),
    bit_rate: String(Math.round(stats.averageBitrate)),
    frequency: await track.getSampleRate(),
    channels,
    channel_layout: channels === 1 ? 'mono' : channels === 2 ? 'stereo' : `${channels} channels`,
  };
}

/** Cloudinary writes codecs as ffmpeg does. */
function codecName(codec: string | null): string {
  return codec === 'avc' ? 'h264' : (codec ?? 'unknown');
}
