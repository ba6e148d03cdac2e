/**
 * Which folder of src/ may import which others, by their door (index.ts). Every folder may also import itself and the
 * kernel. `npm run check` enforces this table; ARCHITECTURE.md explains it. To allow an import, change one line here; prefer to change the code.
 */
const MODULES = [
  'evidence',
  'wallet',
  'models',
  'scoring',
  'telemetry',
  'config',
  'autoupdate',
  'routing',
  'epistula',
  'chain',
]
MODULES.push('alerts', 'bundles', 'inference', 'engine', 'prompts', 'verification', 'database', 'history')
const INSIDE = (role, ...rooms) => rooms.map((room) => `roles/${role}/${room}`)

export const ARROWS = {
  kernel: [],
  'alerts|evidence|wallet|models|scoring|page|config|autoupdate|routing': [],
  telemetry: ['page'],
  'epistula|chain': ['wallet'],
  inference: ['epistula', 'wallet'],
  'engine|prompts': ['inference'],
  verification: ['evidence', 'inference', 'engine'],
  bundles: ['evidence', 'inference', 'engine', 'verification', 'wallet'],
  database: [],
  history: ['database', 'inference', 'engine', 'verification'],
  accounts: ['database'],
  roles: [...MODULES, 'roles/miner', 'roles/query', 'roles/validator', 'roles/hub'],
  'roles/query': [...MODULES, 'roles'],
  'roles/miner': [
    ...MODULES,
    'roles',
    ...INSIDE('miner', 'admission', 'requests', 'serving', 'workers', 'announcing', 'alerting'),
  ],
  'roles/miner/alerting': ['alerts', 'routing', 'roles'],
  'roles/miner/admission': ['chain', 'epistula', 'routing'],
  'roles/miner/requests': ['routing'],
  'roles/miner/serving': ['roles/miner/admission', 'roles/miner/requests', 'config', 'routing', 'telemetry'],
  'roles/miner/workers': ['config', 'epistula', 'routing', ...INSIDE('miner', 'admission', 'serving')],
  'roles/miner/announcing': ['chain', 'wallet'],
  'roles/miner/check': [
    ...['config', 'engine', 'evidence', 'inference', 'prompts', 'routing', 'verification'],
    'roles/miner/serving',
  ],
  'roles/validator': [
    ...[...MODULES, 'roles'],
    ...INSIDE('validator', 'subnet', 'calibration', 'rounds', 'scores', 'evidence'),
    ...INSIDE('validator', 'epochs', 'organics', 'reports', 'health', 'alerting'),
  ],
  'roles/validator/subnet': ['chain', 'config', 'engine', 'telemetry', 'wallet', 'roles'],
  'roles/validator/calibration': [...MODULES, 'roles', 'roles/validator/subnet'],
  'roles/validator/rounds': [
    ...MODULES.filter((name) => name !== 'chain'),
    ...['roles', ...INSIDE('validator', 'subnet')],
  ],
  'roles/validator/scores': [...MODULES, 'roles', ...INSIDE('validator', 'subnet', 'rounds')],
  'roles/validator/evidence': [...MODULES, 'roles', ...INSIDE('validator', 'subnet', 'rounds', 'scores')],
  'roles/validator/epochs': [
    ...MODULES,
    'roles',
    ...INSIDE('validator', 'subnet', 'rounds', 'scores', 'evidence'),
  ],
  'roles/validator/organics': [...MODULES, 'roles', ...INSIDE('validator', 'subnet', 'rounds', 'evidence')],
  'roles/validator/reports': [
    ...MODULES,
    'roles',
    ...INSIDE('validator', 'subnet', 'calibration', 'rounds', 'scores', 'evidence', 'epochs'),
  ],
  'roles/validator/alerting': [...MODULES, 'roles', ...INSIDE('validator', 'subnet', 'evidence', 'epochs')],
  'roles/validator/health': [...MODULES, 'roles', ...INSIDE('validator', 'subnet', 'rounds')],
  'roles/hub': [
    ...[...MODULES, 'accounts', 'roles'],
    ...INSIDE('hub', 'gateway', 'miners', 'asking', 'organics', 'figures', 'alerting'),
  ],
  'roles/hub/figures': ['accounts', 'telemetry', ...INSIDE('hub', 'gateway', 'organics')],
  'roles/hub/alerting': ['alerts', 'roles'],
  'roles/hub/miners': ['chain', 'inference', 'wallet'],
  'roles/hub/asking': ['epistula', 'inference', 'wallet', 'roles/hub/miners'],
  'roles/hub/gateway': [
    ...['accounts', 'config', 'inference', 'routing'],
    ...INSIDE('hub', 'miners', 'asking', 'organics'),
  ],
  'roles/hub/organics': ['chain', 'epistula', 'inference'],
  doctor: [
    ...[...MODULES, 'accounts', 'roles'],
    ...INSIDE('miner', 'serving', 'announcing', 'check'),
    ...INSIDE('validator', 'calibration', 'reports'),
    ...INSIDE('hub', 'gateway', 'miners', 'organics'),
  ],
  setup: ['config', 'wallet'],
  localnet: ['chain', 'telemetry', 'localnet/network', 'localnet/users', 'localnet/board'],
  'localnet/network': ['config', 'wallet', 'localnet/chain', 'localnet/engine'],
  'localnet/board': ['chain', 'localnet/network', 'localnet/users'],
  'localnet/users': [],
  // The development chain and engine share no code with what they test: two codecs, no common bug.
  'localnet/chain|localnet/engine': [],
  cli: ['config', 'telemetry'],
}

const isRoom = (path) => (path === 'roles' ? 'roles/[^/]+\\.ts$' : `${path}/index\\.ts$`)

/** The files of a folder itself; those of folders that have a line of their own in the table are not among them. */
function filesOf(folder) {
  const rooms = Object.keys(ARROWS).flatMap((names) => names.split('|'))
  const inner = rooms
    .filter((room) => room.startsWith(`${folder}/`))
    .map((room) => room.slice(folder.length + 1))
  return inner.length === 0 ? `^src/${folder}/` : `^src/${folder}/(?!(${inner.join('|')})/)`
}

const arrows = Object.entries(ARROWS).flatMap(([folders, targets]) =>
  folders.split('|').map((folder) => ({
    name: `${folder} may import ${targets.length === 0 ? 'the kernel only' : `kernel, ${targets.join(', ')}`}`,
    severity: 'error',
    from: { path: filesOf(folder) },
    to: {
      path: '^src/',
      pathNot: [filesOf(folder), ...['kernel', ...targets].map((name) => `^src/${isRoom(name)}`)],
    },
  })),
)

export default {
  forbidden: [
    ...arrows,
    {
      name: 'only chain/ decodes metadata with @polkadot/types',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/chain/' },
      to: { path: '@polkadot/(api|types)' },
    },
    { name: 'no circles, types included', severity: 'error', from: {}, to: { circular: true } },
  ],
  options: { parser: 'swc', tsPreCompilationDeps: true, doNotFollow: { path: 'node_modules' } },
}
