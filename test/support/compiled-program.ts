import { fileURLToPath } from 'node:url'
import { inject } from 'vitest'

const root = new URL('../../', import.meta.url).href

/** URL of the compiled copy of a module, for programs that unit tests start. @param module the TypeScript file */
export function compiledUrl(module: URL): string {
  const folder = inject('compiledSource')
  if (folder === undefined) throw new Error('Only the unit suites compile the source.')
  return module.href.replace(root, folder).replace(/\.ts$/, '.js')
}

/** Arguments with which node runs a program: compiled in the unit suites, through a loader elsewhere. */
export function nodeArgumentsOf(module: URL): string[] {
  const isCompiled = inject('compiledSource') !== undefined
  return isCompiled ? [fileURLToPath(compiledUrl(module))] : ['--import', 'tsx', fileURLToPath(module)]
}
