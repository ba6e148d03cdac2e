import { defineConfig } from 'vitest/config'

/** Suites against real services (Redis, PostgreSQL); each skips, with the reason, when its address is not given. */
export default defineConfig({
  test: {
    include: ['test/services/**/*.test.ts'],
    testTimeout: 180_000,
    hookTimeout: 180_000,
    expect: { poll: { timeout: 60_000 } },
    passWithNoTests: true,
    disableConsoleIntercept: true,
    pool: 'forks',
    maxWorkers: 2,
    // a machine whose cores are shared with strangers may stand still for seconds
    retry: process.env.CI ? 1 : 0,
  },
})
