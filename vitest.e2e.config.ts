import { defineConfig } from 'vitest/config'

/** Tests that spawn the built binary: run `npm run build` first. Two files at a time: each starts whole networks. */
export default defineConfig({
  test: {
    include: ['test/e2e/**/*.test.ts'],
    testTimeout: 480_000,
    hookTimeout: 240_000,
    expect: { poll: { timeout: 120_000 } },
    maxWorkers: 2,
    pool: 'forks',
    // a machine whose cores are shared with strangers may stand still for seconds
    retry: process.env.CI ? 1 : 0,
  },
})
