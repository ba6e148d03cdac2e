import { randomInt } from 'node:crypto'
import { existsSync } from 'node:fs'
import { defineConfig, type TestProjectConfiguration } from 'vitest/config'
import type { TestSpecification } from 'vitest/node'
import { EvenShards } from './scripts/gauntlet/shards.js'

const isCi = Boolean(process.env.CI)

/** Start processes, or derive keys at full cost: everything else of their folders is fast. */
const slow = [
  'test/kernel/connection-attempts.test.ts',
  'test/kernel/hotkey-lock.test.ts',
  'test/verification/queued-answers.test.ts',
  'test/wallet/encryption.test.ts',
]

const folders = (...names: string[]) => names.map((name) => `test/${name}/**/*.test.ts`)

const fast = folders(
  ...['config', 'engine', 'epistula', 'inference', 'kernel', 'models', 'prompts', 'routing', 'scoring'],
  ...['verification', 'wallet', 'localnet/engine', 'roles/query'],
)

/**
 * Each of these files gets a process of its own: commands take over standard error and signals for good, and the simulation
 * measures the heap; the slow ones lie in fast folders. All other files leave no variable, exit status, clock or listener
 * behind, so they share processes: importing the modules afresh for each would take two fifths of their CPU.
 */
const alone = [
  ...slow,
  ...folders('cli', 'commands'),
  'test/roles/validator/calibration/calibrate-models.test.ts',
  'test/roles/validator/epochs/epoch-task.simulation.test.ts',
  'test/roles/validator/evidence/kept-answers.test.ts',
]

const otherSuites = folders('e2e', 'gauntlet', 'services', 'vllm')

/** Judged by the clock or by memory: these run alone, one after the other. */
const measured = [
  ...[
    'engine-faults',
    'hostile-model-lists',
    'hostile-neighbours',
    'hostile-rounds',
    'hostile-share',
    'miner-flood',
    'miner-heads',
    'miner-memory',
    'miner-requests',
    'miner-streams',
    'models-endpoint',
    'weights-drops',
  ],
].map((name) => `test/gauntlet/${name}.test.ts`)

const globalSetup = ['test/support/own-temporary-folder.ts', 'test/support/compiled-source.ts']

/** These start first, so that no suite ends with one of them running alone. */
const longest = [
  ...['e2e/localnet-end', 'e2e/update', 'gauntlet/verdict-matrix', 'services/image', 'services/page'],
  ...['verification/honest-servers', 'autoupdate/launcher', 'scripts/release', 'autoupdate/launcher-faults'],
  ...['cli/unread-log', 'wallet/encryption', 'roles/validator/epochs/epoch-task.simulation'],
].map((name) => `test/${name}.test.ts`)

for (const path of [...slow, ...measured, ...longest, ...alone.filter((path) => !path.includes('*'))])
  if (!existsSync(path)) throw new Error(`vitest.config.ts lists ${path}, which does not exist.`)

class LongestFirst extends EvenShards {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rankOf = ({ moduleId }: TestSpecification) => {
      const index = longest.findIndex((path) => moduleId.endsWith(`/${path}`))
      return index < 0 ? longest.length : index
    }
    return (await super.sort(files)).sort((a, b) => rankOf(a) - rankOf(b))
  }
}

/** What `npm test` runs. `unit:fast` needs no process, database or chain. */
const unit: TestProjectConfiguration[] = [
  {
    extends: true,
    test: {
      ...{ name: 'unit:fast', include: fast, exclude: slow, globalSetup },
      isolate: false,
      sequence: { groupOrder: 0 },
    },
  },
  {
    extends: true,
    test: {
      name: 'unit:shared',
      globalSetup,
      include: ['test/**/*.test.ts'],
      exclude: [...otherSuites, ...fast, ...alone],
      isolate: false,
      sequence: { groupOrder: 1 },
    },
  },
  {
    extends: true,
    test: {
      name: 'unit:isolated',
      globalSetup,
      include: alone,
      sequence: { groupOrder: 2 },
    },
  },
]

/** Spawn the built command: run `npm run build` first. Two files at a time, because each starts whole networks. */
const e2e: TestProjectConfiguration = {
  extends: true,
  test: {
    name: 'e2e',
    include: folders('e2e'),
    testTimeout: 480_000,
    hookTimeout: 240_000,
    expect: { poll: { timeout: 120_000 } },
    maxWorkers: 2,
    // in CI beside the gauntlet and other suites, which can stall a whole network for seconds
    retry: isCi ? 1 : 0,
    sequence: { groupOrder: 3 },
  },
}

/** Against real services (Redis, PostgreSQL, PgBouncer, pm2); each test skips, with the reason, when its service is missing. */
const services: TestProjectConfiguration = {
  extends: true,
  test: { name: 'services', include: folders('services'), maxWorkers: 2, sequence: { groupOrder: 4 } },
}

// every process of the run uses one seed; test/gauntlet/setup.ts prints it
process.env.GAUNTLET_SEED ??= String(randomInt(2 ** 31))

const gauntletOptions = {
  // full counts take long on a busy machine
  testTimeout: isCi ? 600_000 : 1_800_000,
  hookTimeout: 240_000,
  globalSetup: 'test/gauntlet/setup.ts',
  expect: { poll: { timeout: 120_000 } },
  env: { GAUNTLET_SCALE: process.env.GAUNTLET_SCALE ?? (isCi ? '0.02' : '1') },
}

/** Attacks and faults. `npm run gauntlet` runs the full counts, in shards: docs/reliability.md; CI scales counts down, never kinds. */
const gauntlet: TestProjectConfiguration[] = [
  {
    extends: true,
    test: {
      ...gauntletOptions,
      name: 'gauntlet:faults',
      include: folders('gauntlet'),
      exclude: measured,
      // in CI beside the end-to-end tests and other suites, which can stall a process for seconds
      retry: isCi ? 1 : 0,
      sequence: { groupOrder: 5 },
    },
  },
  {
    extends: true,
    test: {
      ...gauntletOptions,
      name: 'gauntlet:measured',
      include: measured,
      fileParallelism: false,
      // a neighbour of the machine can spoil a measurement twice in a row
      retry: isCi ? 2 : 0,
      sequence: { groupOrder: 6 },
    },
  },
]

/** A real vLLM between a miner and a validator; `npm run gauntlet:vllm` alone runs it, since it installs 6 GB and takes an hour or two; its answers are kept, so that it can be interrupted. */
const vllm: TestProjectConfiguration = {
  extends: true,
  test: {
    name: 'vllm',
    include: folders('vllm'),
    testTimeout: 3_600_000,
    globalSetup: 'test/vllm/setup.ts',
    fileParallelism: false,
    sequence: { groupOrder: 7 },
  },
}

/**
 * Failed tests are not retried: a retry hides tests that fail once in a while, or only at first. Where `retry` is set, a comment
 * says why, and `.ci/count.js` lists the tests that passed only on a retry.
 */
export default defineConfig({
  test: {
    testTimeout: 180_000,
    hookTimeout: 180_000,
    expect: { poll: { timeout: 60_000 } },
    disableConsoleIntercept: true,
    setupFiles: 'test/support/each-file.ts',
    pool: 'forks',
    sequence: { sequencer: LongestFirst },
    maxWorkers: '100%',
    projects: [...unit, e2e, services, ...gauntlet, vllm],
  },
})
