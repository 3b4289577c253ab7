import { describe, expect, it } from 'vitest';
import { queryTransformation } from '../../../src/cloudinary/query-transformation.ts';

describe('image parameters of other services become a transformation', () => {
  it.each([
    ['w=300&h=200&fit=crop', 'c_fill,h_200,w_300'],
    ['width=300&height=200&fit=cover', 'c_fill,h_200,w_300'],
    ['w=300', 'c_fit,w_300'],
    ['h=200&fit=max', 'c_limit,h_200'],
    ['w=300&h=200', 'c_fit,h_200,w_300'],
    ['w=300&h=200&fit=clip', 'c_fit,h_200,w_300'],
    ['w=300&h=200&fit=scale', 'c_scale,h_200,w_300'],
    ['w=300&h=200&fit=min', 'c_lfill,h_200,w_300'],
    ['w=300&h=200&fit=scale-down', 'c_limit,h_200,w_300'],
    ['w=300&h=200&fit=fill&bg=FFCC00', 'b_rgb:ffcc00,c_pad,h_200,w_300'],
    ['w=300&h=200&fit=crop&crop=top,left', 'c_fill,g_north_west,h_200,w_300'],
    ['w=300&h=200&fit=crop&crop=faces', 'c_fill,g_faces,h_200,w_300'],
    ['w=300&h=200&fit=crop&gravity=auto', 'c_fill,g_auto,h_200,w_300'],
    ['w=300&h=200&fit=clip&crop=faces', 'c_fit,h_200,w_300'],
    ['w=99&h=99&fit=facearea', 'c_thumb,g_face,h_99,w_99'],
    ['auto=format,compress', 'f_auto,q_auto'],
    ['auto=format&fm=jpeg&q=75', 'f_jpg,q_75'],
    ['w=300&dpr=2&q=auto', 'c_fit,dpr_2,q_auto,w_300'],
    ['dpr=1.5', 'dpr_1.5'],
    ['rot=90&flip=h', 'a_hflip.90'],
    ['blur=200', 'e_blur:200'],
    ['W=300', ''],
    ['w=300.5', 'c_fit,w_300'],
    ['w=100&w=200', 'c_fit,w_100'],
    ['', ''],
    ['v=2&utm_source=x', ''],
    ['fit=crop', ''],
  ])('%s → %s', (query, transformation) => {
    expect(queryTransformation(query)).toBe(transformation);
  });

  it.each([
    'w=0',
    'w=-5',
    'w=99999',
    'w=1e3',
    'w=300/l_secret',
    'w=300,l_secret',
    'q=101',
    'dpr=99',
    'fm=svg',
    'fm=__proto__',
    'fm=constructor',
    'bg=red/l_x',
    'blur=x',
    'flip=z',
    'rot=360',
  ])('%s is left out: only known values and numbers within bounds pass', (query) => {
    expect(queryTransformation(query)).toBe('');
  });

  it('ignores a fit that it does not know', () => {
    expect(queryTransformation('w=300&fit=toString')).toBe('c_fit,w_300');
  });
});
