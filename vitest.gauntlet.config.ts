import { defineConfig } from 'vitest/config'

/** Judged by the clock or by memory: these run alone, one after the other. */
const measured = [
  'engine-faults',
  'hostile-model-lists',
  'hostile-rounds',
  'hostile-share',
  'miner-flood',
  'miner-heads',
  'miner-memory',
].map((name) => `test/gauntlet/${name}.test.ts`)

/** Attacks and faults at scale. `npm run gauntlet` runs the full counts; CI scales counts down, never kinds. */
export default defineConfig({
  test: {
    testTimeout: 600_000,
    hookTimeout: 240_000,
    globalSetup: 'test/gauntlet/setup.ts',
    expect: { poll: { timeout: 120_000 } },
    pool: 'forks',
    env: { GAUNTLET_SCALE: process.env.GAUNTLET_SCALE ?? (process.env.CI ? '0.02' : '1') },
    projects: [
      {
        extends: true,
        test: {
          name: 'faults',
          include: ['test/gauntlet/**/*.test.ts'],
          exclude: measured,
          maxWorkers: '100%',
          // a machine that stands still may let one time out; what must never happen even once says `retry: 0` itself
          retry: process.env.CI ? 1 : 0,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'measured',
          include: measured,
          fileParallelism: false,
          // what other programs of the machine do may spoil one measurement
          retry: process.env.CI ? 2 : 0,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
