import boto3
import redis

from stack import ACCOUNT, REGION, Case

elasticache = boto3.client("elasticache")


class ElastiCache(Case):
    def test_a_cluster_is_a_redis_until_it_is_deleted(self):
        made = elasticache.create_cache_cluster(CacheClusterId="py-cache", Engine="redis", CacheNodeType="cache.t3.micro", NumCacheNodes=1)
        self.assertEqual(f"arn:aws:elasticache:{REGION}:{ACCOUNT}:cluster:py-cache", made["CacheCluster"]["ARN"])
        elasticache.get_waiter("cache_cluster_available").wait(CacheClusterId="py-cache", WaiterConfig={"Delay": 1})
        cluster = elasticache.describe_cache_clusters(CacheClusterId="py-cache", ShowCacheNodeInfo=True)["CacheClusters"][0]
        at = cluster["CacheNodes"][0]["Endpoint"]
        client = redis.Redis(host=at["Address"], port=at["Port"], decode_responses=True)
        self.assertTrue(client.set("a", "1", ex=60))
        with client.pipeline(transaction=True) as both:
            self.assertEqual([2, True], both.incr("a").expire("a", 100).execute())
        self.assertEqual("2", client.get("a"))
        self.assertIn(client.ttl("a"), (99, 100))
        client.close()
        self.fails(
            "CacheClusterAlreadyExists",
            "Cache cluster already exists",
            elasticache.create_cache_cluster,
            CacheClusterId="py-cache",
            Engine="redis",
            CacheNodeType="cache.t3.micro",
            NumCacheNodes=1,
        )
        self.assertEqual("deleting", elasticache.delete_cache_cluster(CacheClusterId="py-cache")["CacheCluster"]["CacheClusterStatus"])
        elasticache.get_waiter("cache_cluster_deleted").wait(CacheClusterId="py-cache", WaiterConfig={"Delay": 1})
        with self.assertRaises(redis.exceptions.ConnectionError):
            redis.Redis(host=at["Address"], port=at["Port"]).ping()

    def test_the_stack_s_cache_is_listed(self):
        pages = elasticache.get_paginator("describe_cache_clusters").paginate(ShowCacheNodeInfo=True)
        prices = [c for p in pages for c in p["CacheClusters"] if c["CacheClusterId"] == "prices"]
        self.assertEqual(["available"], [c["CacheClusterStatus"] for c in prices])
        self.assertEqual("127.0.0.1", prices[0]["CacheNodes"][0]["Endpoint"]["Address"])

    def test_a_cluster_that_is_not_there_is_not_found(self):
        missing = self.fails("CacheClusterNotFound", "py-none", elasticache.describe_cache_clusters, CacheClusterId="py-none")
        self.assertEqual(404, missing.response["ResponseMetadata"]["HTTPStatusCode"])
