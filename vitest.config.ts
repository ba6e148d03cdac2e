import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/e2e/**', 'test/gauntlet/**', 'test/services/**'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // a machine that stands still for seconds is no failure of what is waited for
    expect: { poll: { timeout: 30_000 } },
    disableConsoleIntercept: true,
    pool: 'forks',
    // a machine whose cores are shared with strangers may stand still for seconds
    retry: process.env.CI ? 1 : 0,
    maxWorkers: '100%',
  },
})
