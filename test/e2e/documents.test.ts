import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { renderReadme } from '../../scripts/docs/readme.js'

it('the command reference and the settings of the README are fresh; run npm run docs when they are not', () => {
  for (const [path, text] of renderReadme())
    expect(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8'), path).toBe(text)
})
