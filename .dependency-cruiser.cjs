// Which room may import which. The order is the order data flows in (docs/decisions/0001-rooms.md): an import that
// is not named here is a violation.
const rooms = {
  asset: [],
  http: [],
  cloudinary: ['asset'],
  config: ['asset'],
  ledger: ['asset'],
  origin: ['asset', 'http'],
  store: ['asset', 'http', 'cloudinary'],
  delivery: ['asset', 'http', 'cloudinary', 'config', 'ledger', 'origin', 'store'],
  migration: ['asset', 'config', 'ledger', 'origin', 'store'],
  'media-store': ['asset', 'http', 'cloudinary', 'origin'],
  admin: ['asset', 'http', 'config', 'ledger', 'migration'],
  server: ['asset', 'http', 'config', 'origin', 'delivery', 'migration', 'admin'],
  cli: ['asset', 'config', 'admin', 'server', 'media-store', 'ledger', 'cloudinary'],
};

// The drivers of a port: only the wiring file constructs them.
const drivers = '^src/(ledger/(sqlite|redis)|origin/(http|s3)|store/cloudinary)/';

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: { path: '^src' }, to: { circular: true } },
    { name: 'no-unresolved', severity: 'error', from: {}, to: { couldNotResolve: true } },
    ...Object.entries(rooms).map(([room, allowed]) => ({
      name: `${room}-imports-only-${allowed.join('-') || 'itself'}`,
      severity: 'error',
      from: { path: `^src/${room}/` },
      to: { path: '^src/', pathNot: `^src/(${[room, ...allowed].join('|')})/${room === 'cli' ? '|^src/app.ts$' : ''}` },
    })),
    {
      name: 'drivers-are-constructed-by-the-wiring-file-only',
      severity: 'error',
      from: { path: '^src', pathNot: `${drivers}|^src/app\\.ts$` },
      to: { path: drivers },
    },
    {
      name: 'only-cli-and-main-import-the-wiring-file',
      severity: 'error',
      from: { path: '^src', pathNot: '^src/(cli/|main\\.ts$)' },
      to: { path: '^src/app\\.ts$' },
    },
    {
      name: 'no-development-dependency-in-the-product',
      severity: 'error',
      from: { path: '^src' },
      to: { dependencyTypes: ['npm-dev'], pathNot: 'node_modules/@types/' },
    },
  ],
  options: {
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
  },
};
