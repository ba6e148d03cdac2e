import { defineConfig } from 'vitest/config'

const apart = ['test/e2e/**', 'test/gauntlet/**', 'test/services/**']

/**
 * Their files come one after the other into the same process, which loads the chain client, the codecs and the WebAssembly
 * once. They leave nothing behind in it: no variable, no exit status, no clock, no listener.
 */
const sharing = [
  ...[
    'chain',
    'config',
    'engine',
    'epistula',
    'inference',
    'kernel',
    'library',
    'models',
    'prompts',
    'routing',
  ],
  ...['scoring', 'verification', 'wallet', 'localnet', 'roles/miner'],
].map((room) => `test/${room}/**/*.test.ts`)

export default defineConfig({
  test: {
    testTimeout: 180_000,
    hookTimeout: 180_000,
    // a machine that stands still for seconds is no failure of what is waited for
    expect: { poll: { timeout: 60_000 } },
    disableConsoleIntercept: true,
    pool: 'forks',
    // a machine whose cores are shared with strangers may stand still for seconds
    retry: process.env.CI ? 1 : 0,
    maxWorkers: '100%',
    projects: [
      // a process is handed on only to the next file of the same kind: one kind after the other
      {
        extends: true,
        test: { name: 'sharing', include: sharing, isolate: false, sequence: { groupOrder: 0 } },
      },
      {
        extends: true,
        test: {
          name: 'alone',
          include: ['test/**/*.test.ts'],
          exclude: [...apart, ...sharing],
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
