import { describe, expect, it } from 'vitest'
import type { Origin } from '../../src/config/index.js'
import { readingsOf, refuseUnknownVariables, variableOf } from '../../src/config/variables.js'

const inFile = (name: string): Origin => ({ kind: 'env-file', file: '.env', line: 2, name })

it('derives the variable from the name of the setting', () => {
  expect(variableOf('wallet.password_file')).toBe('TARGON_WALLET_PASSWORD_FILE')
  expect(variableOf('no-force-validator-permit')).toBe('TARGON_NO_FORCE_VALIDATOR_PERMIT')
})

it('lists the variables of a setting, strongest first', () => {
  expect(readingsOf('axon.port').map(({ variable }) => variable)).toEqual([
    'TARGON_AXON_PORT',
    'BT_AXON_PORT',
  ])
  expect(readingsOf('autoupdate-off')).toEqual([
    { variable: 'TARGON_AUTOUPDATE_OFF', inverse: false, deprecated: false },
    { variable: 'NO_AUTO_UPDATE', inverse: false, deprecated: true },
    { variable: 'AUTO_UPDATE', inverse: true, deprecated: false },
  ])
})

describe('refuseUnknownVariables', () => {
  it('names file and line of an unknown variable with our prefix and suggests the closest name', () => {
    expect(() => refuseUnknownVariables([['TARGON_AXON_PROT', '1']], inFile)).toThrow(
      expect.objectContaining({
        code: 'CONFIG_UNKNOWN_VARIABLE',
        fault: 'usage',
        message: 'Unknown variable TARGON_AXON_PROT (.env:2).',
        next: 'Did you mean TARGON_AXON_PORT?',
      }),
    )
  })

  it.each([
    ['TARGON_CONFORMANCE_DIR', '/x'],
    ['TARGON_LIVE', '1'],
    ['TARGON_TEST_POSTGRES', 'y'],
    ['TARGON_MINER_SERVICE_HOST', '10.0.0.1'],
    ['TARGON_MINER_PORT', 'tcp://10.0.0.1:8091'],
    ['TARGON_MINER_PORT_8091_TCP_ADDR', '10.0.0.1'],
    ['TARGON_MODELS_MODE', 'config'],
    ['SOMETHING_ELSE', 'x'],
  ])('accepts %s, a variable of tests, Kubernetes, another role or another program', (variable, value) => {
    expect(() => refuseUnknownVariables([[variable, value]], inFile)).not.toThrow()
  })
})
