"""What a command needs to be told, and was not; the docstring is what it says."""


class NoHub(Exception):
    """没有找到贯通：请用 --data 指明本机数据目录，或设置 GUANTONG_URL 与 GUANTONG_TOKEN
    / no hub: name its data directory with --data, or set GUANTONG_URL and GUANTONG_TOKEN"""


class NeedsData(Exception):
    """--as 须与 --data 同用；否则身份由 GUANTONG_TOKEN 决定
    / --as goes with --data; else the caller is whoever GUANTONG_TOKEN belongs to"""


class NeedsBrokers(Exception):
    """须指明 Kafka 的地址：--bootstrap 或 GUANTONG_KAFKA
    / which Kafka: name it with --bootstrap or GUANTONG_KAFKA"""


class NeedsYes(Exception):
    """没有终端可以询问，未作改动：确要执行请加 --yes
    / there is no terminal to ask at, nothing was done: say --yes"""
