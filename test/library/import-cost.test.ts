import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { compiledUrl } from '../support/compiled-program.js'

const run = promisify(execFile)

/** Code that prints every module a program resolves whose URL contains this text. */
function traceImports(text: string): string {
  const loader = `
    import { writeSync } from 'node:fs'
    export async function resolve(specifier, context, next) {
      const resolved = await next(specifier, context)
      if (resolved.url.includes(${JSON.stringify(text)})) writeSync(1, 'loaded ' + resolved.url + '\\n')
      return resolved
    }`
  const address = `data:text/javascript,${encodeURIComponent(loader)}`
  return `import { register } from 'node:module'; register(${JSON.stringify(address)});`
}

test('the chain client is loaded by connecting, not by importing the library', async () => {
  const door = compiledUrl(new URL('../../src/index.ts', import.meta.url))
  const program = `
    ${traceImports('@polkadot/types/')}
    const { connectSubtensor, systemClock, ...rest } = await import(${JSON.stringify(door)})
    console.log('imported', typeof rest.epistulaFetch)
    const log = { debug() {}, info() {}, warn() {}, error() {} }
    const deps = { clock: systemClock, log, signal: AbortSignal.timeout(200) }
    await connectSubtensor({ endpoints: ['ws://127.0.0.1:1'] }, deps).catch(() => {})
    process.exit()`
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', program])
  const [before, after] = stdout.split('imported function\n')
  expect(before).toBe('')
  expect(after).toContain('loaded ')
})
