"""Run by test_engine in a process of its own: a build on a Ray cluster of two nodes with one core each."""

import sys
from pathlib import Path

import ray
from ray.cluster_utils import Cluster

from daneel.corpus.build import build
from daneel.corpus.recipe import load_recipe

if __name__ == "__main__":
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    cluster.add_node(num_cpus=1)
    ray.init(address=cluster.address, log_to_driver=False)
    source, out, recipe = sys.argv[1:]
    build([source], Path(out), recipe=load_recipe(recipe), kind="ray")
    nodes = sum(node["Alive"] for node in ray.nodes())
    ray.shutdown()
    cluster.shutdown()
    print(nodes)
