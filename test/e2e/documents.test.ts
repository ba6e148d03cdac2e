import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { renderReadme } from '../../scripts/docs/readme.js'

it('the generated parts of the README are up to date (otherwise run npm run docs)', () => {
  for (const [path, text] of renderReadme())
    expect(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8'), path).toBe(text)
})
