"""Personal names: common surnames, and what a short text that is a name looks like."""

import re

SURNAMES = (
    "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦许何吕张孔曹严华金魏陶姜谢邹喻柏窦章苏潘葛范彭郎鲁韦马苗方"
    "任袁柳史唐费薛雷贺倪汤罗毕郝安常乐于傅齐康余顾孟黄穆萧尹姚邵汪毛戴宋茅庞熊纪舒屈项祝董梁杜阮蓝闵"
    "季贾路江童颜郭梅盛林钟徐邱骆高夏蔡田樊胡凌霍万柯管卢莫房解丁邓石崔吉龚程邢裴陆翁甄曲段侯全秋"
    "白包其乌阿那哈巴格温庄刘叶洪向辛闫苑佟付肖曾谭廖赖"
)

PERSON = re.compile(f"[{SURNAMES}][\u4e00-\u9fff]{{1,3}}")


def is_person(text: str) -> bool:
    """Whether a short text is a Chinese personal name."""
    return PERSON.fullmatch(text.strip()) is not None
