import { defineConfig } from 'vitest/config'

export default defineConfig({
  resolve: { alias: { '@countersign/sdk': new URL('sdk/typescript/src/index.ts', import.meta.url).pathname } },
  test: {
    include: ['test/**/*.test.ts'],
    // One PostgreSQL and one Redis for the whole run.
    globalSetup: ['test/services/global-setup.ts'],
    reporters: ['default', './test/totals.ts'],
    pool: 'forks',
    // One more than CI's cores: a test often waits, for a child process or for a deadline.
    maxWorkers: 3,
    // For a machine under load: no test measures time.
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
})
