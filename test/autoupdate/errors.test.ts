import { describe, expect, it } from 'vitest'
import { findOffer } from '../../src/autoupdate/index.js'
import { ReleaseRepository } from '../support/release-repository.js'

describe('an error of a child program', () => {
  it('names what was done and why it failed, not the options', async () => {
    const context = new ReleaseRepository().context({ url: '/nowhere.git' })
    const message = await findOffer(context).then(String, (error: Error) => error.message)
    expect(message).toMatch(
      /^git ls-remote failed: fatal: '\/nowhere\.git' does not appear to be a git repository\.$/,
    )
  })
})
