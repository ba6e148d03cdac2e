"""Reads the metagraph, announces an axon and sets weights with the installed bittensor: client.py URL WALLETS VERSION."""

import json
import sys
import time

import bittensor as bt

url, wallets, version = sys.argv[1:]


def wallet(hotkey):
    return bt.Wallet(name="dev", hotkey=hotkey, path=wallets)


def run():
    subtensor = bt.Subtensor(url)
    validator, miner = wallet("validator"), wallet("miner")
    if version.startswith("11"):
        before = subtensor.subnets.metagraph(4)
        served = subtensor.execute(bt.ServeAxon(netuid=4, ip="10.1.2.4", port=8093), miner)
        weights = subtensor.execute(bt.SetWeights(netuid=4, weights={1: 1.0}), validator)
        count = len(before.neurons)
    elif version.startswith("8"):
        # It waits until more blocks than the rate limit have passed since the last weights, counted from block 0.
        while subtensor.block <= subtensor.weights_rate_limit(4) + 1:
            time.sleep(0.1)
        before = subtensor.metagraph(4, lite=False)
        axon = bt.Axon(wallet=miner, port=8092, external_ip="10.1.2.4", external_port=8093)
        announced = subtensor.serve_axon(netuid=4, axon=axon, wait_for_inclusion=True, wait_for_finalization=False)
        accepted, _ = subtensor.set_weights(
            wallet=validator, netuid=4, uids=[1], weights=[1.0], wait_for_inclusion=True
        )
        after = subtensor.metagraph(4, lite=False)
        served = announced and after.axons[1].ip == "10.1.2.4" and after.axons[1].port == 8093
        weights = accepted and after.W[0][1] == 1
        return {"neurons": len(before.hotkeys), "served": bool(served), "weights": bool(weights)}
    else:
        before = subtensor.metagraph(4, lite=False)
        axon = bt.Axon(wallet=miner, port=8092, external_ip="10.1.2.4", external_port=8093)
        served = subtensor.serve_axon(netuid=4, axon=axon, wait_for_finalization=False)
        weights = subtensor.set_weights(
            wallet=validator, netuid=4, uids=[1], weights=[1.0], wait_for_finalization=False
        )
        count = len(before.hotkeys)
        assert subtensor.neurons(4)[0].hotkey == validator.hotkey.ss58_address
        assert subtensor.neurons_lite(4)[0].coldkey == validator.coldkeypub.ss58_address
        assert subtensor.subnet(4).netuid == 4
    return {"neurons": count, "served": bool(served.success), "weights": bool(weights.success)}


print("RESULT " + json.dumps(run()), flush=True)
