import { defineConfig } from 'vitest/config'

/** Attacks and faults at scale. `npm run gauntlet` runs the full counts; CI scales counts down, never kinds. */
export default defineConfig({
  test: {
    include: ['test/gauntlet/**/*.test.ts'],
    testTimeout: 600_000,
    hookTimeout: 60_000,
    fileParallelism: false,
    // what is judged by the clock or by memory may miss once on a machine that does other things too
    retry: process.env.CI ? 2 : 0,
    passWithNoTests: true,
    pool: 'forks',
    env: { GAUNTLET_SCALE: process.env.GAUNTLET_SCALE ?? (process.env.CI ? '0.02' : '1') },
  },
})
