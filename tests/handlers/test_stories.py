"""A withdrawal in a story, fewer messages, and danger: each is heard beside the others."""

import json
from pathlib import Path

import pytest

from facets.taxonomy import starting_taxonomy
from handlers.commands import command_key
from handlers.dispatch import heard_in
from handlers.leaving import may_leave
from handlers.rhythms import asks_less
from handlers.rhythms_asked import offers_rhythm
from handlers.stories import leaves_beside
from knowledge.danger import danger
from tests.handlers.test_leaving import OTHER, SAID, lines

ASKED = """我手机号注销了别发了
我手机卡注销了别给我推了
人都走了还发别发了
我累了不想再收了
号码换人了别发了
我妈走了好几年了不要再发了
人没了还推送
我都出国了还发不要再发了
搬到呼市去了别再推送了
你们发错人了别发了
孩子毕业了不用再发了
店都关了还发什么发别发了
都跟你们说了我不是失业人员别发了
手机内存满了不要再发了
我又没订过别发了
别发了我手机号注销了
我爸去年走了，不要再给他发了
换工作了，不再需要推送
我不识字别发了
我爷爷已经不在了请停止推送
电话号码给别人用了别再发
别再给我妈发了她看不懂
我开会呢别发了
请停止发送，我已经找到工作了
手机一直响受不了了别发了
今天心情不好别发了
不感兴趣的别发
没用的消息不要再发了
用不上的就别推了
帮我妈退订
替老人取消订阅
我妈不想收了
我妈说不要再发了
我爸让我取消订阅"""
GOES = """说了多少遍不要再发了
跟你们说过不要再发了
叫你们别发了
告诉过你们别发了
说过好几次不要再推送了
我说不要再发了
都说了不要发了
早就说了别再发
我不同意继续处理我的个人信息
不同意你们使用我的信息
不要再收集我的个人信息
撤回个人信息处理的同意
我不再授权你们使用我的信息
撤回我的授权
我撤销对你们的授权"""
NOTHING = """能不能退出社保
怎么取消订单
我不想收到短信诈骗怎么办
停发失业金怎么办
工资不要再拖了
我的养老金别停了
老板说工资不发了怎么办
公司别再拖欠工资了
红包别发了
工资条别发了
这个月工资别发了
补贴不发了吗
请不要取消我的低保资格
我不收快递怎么退
周末办事大厅上班吗
晚上能办吗
每个月发多少失业金
工资每个月发一次合法吗
取消就业登记怎么办
我不同意仲裁结果
单位收集我的个人信息合法吗
其他都退了押金没退
少发工资怎么办
公司少发了工资
能少交点吗
减少社保缴费
不要每天打卡可以吗
别老让我跑腿
邻居天天吵我
单位规定不要再发了
银行不同意处理我的个人信息
我妈让我问问低保
我妈不要低保了怎么办
我爸让我取消低保
取消对儿子的授权委托怎么办"""
LESS = """早晨别发
礼拜天别发消息
只在白天发
夜里别响
下班以后再发
早上八点前别发
别大半夜发消息
少发点儿
每个月推一回
以后一个月给我发一回就行
两个月发一次
每周最多发两条
一个月最多一次
别天天发了
别老给我发
别老是推送
别没完没了地发
不要每天都发
我不想每周收到推送了
我不想天天收到消息
取消每周推送
关掉每天的推送
别发这么多
别发太勤
不要推那么多
发得太勤了
少发点
少推送一些
能不能少推送些
减少推送次数
推送频率低一些
周末别发
周末不要打扰我
双休日别推送
周六周日不要发
晚上不要给我发消息
不要频繁推送
别频繁打扰
每天的别发了
每周的不要了
发送频率太高了
一天发好几条太多了
没必要每天推送
少打扰
取消周报
下班后别发
夜里别吵我
一周发一次可以吗
能每个月只发一次吗
可以每周发吗"""
PURE = """五一以后再发给我
头一个不要了
第三个退了
一出来就发给我
每天一条就够了
我已经搬走了，不要再发了
人走了，别再发了
我没空看别发了
我现在不在旗里住了不要再推送了
我都说了不要了
老人走了还在发
我不住这里了，别再发
我受够了，别再推了
求你们放过我，别发了
我妈死了，别发了
我不看了
不想要了
删除我的个人信息
我要求删除我的个人信息
我根本没关注你们别发了
这是我妈的手机别发了
我老伴走了，不要再推送了
家里老人没了，麻烦别发了
我女儿考上编制了不用发招聘了
帮我妈订阅就业
我想要就业政策
我想看就业
给我就业政策
帮我爸退了
退订，再发我告你们
退订，再给我发就投诉你们
把我的个人信息删除"""


def heard(text: str) -> str:
    return heard_in(text, starting_taxonomy())


def test_a_story_without_a_comma_is_asked_back_and_what_was_said_before_goes() -> None:
    known = starting_taxonomy()
    assert [one for one in ASKED.split("\n") if not leaves_beside(one, known)] == []
    assert [one for one in GOES.split("\n") if command_key(one) != "leave:all"] == []


def test_who_only_leaves_or_wants_fewer_pages_nobody() -> None:
    rows = [*"\n".join((ASKED, GOES, LESS, PURE)).split("\n"), *(one for _, one in SAID)]
    rows += [one for kind, one in lines("perhaps_withdrawals.txt") if kind == "asked"]
    assert [one for one in rows if heard(one)] == []


def test_danger_beside_a_withdrawal_is_heard_as_it_is_alone() -> None:
    kept = Path(__file__).parents[1] / "knowledge" / "danger.jsonl"
    told = [json.loads(one) for one in kept.read_text(encoding="utf-8").splitlines()]
    texts = [one["text"] for one in told if one["class"] != "none" and danger(one["text"])]
    texts += ["我不想活了", "我要跳楼", "我割腕了", "有人要杀我", "我活着没意思", "我走了"]
    for form in ("{}，别发了", "{}别发了", "别发了，{}", "{}，不要再给我发消息了"):
        missed = [one for one in texts if not heard(form.format(one))]
        assert len(missed) <= 0.02 * len(texts), form
    assert heard("我不想活了，别发了") == "self_harm"
    assert heard("我不想再收到了我要跳楼") == "self_harm"


def test_fewer_messages_or_other_hours_are_no_end_and_are_offered_the_rhythms() -> None:
    known = starting_taxonomy()
    rows = LESS.split("\n")
    assert [one for one in rows if not offers_rhythm(one, known)] == []
    assert [one for one in rows if command_key(one)] == []


@pytest.mark.parametrize("words", NOTHING.split("\n"))
def test_an_everyday_question_goes_on_to_the_answers(words: str) -> None:
    known = starting_taxonomy()
    assert command_key(words) == ""
    asked = (may_leave(words, known), leaves_beside(words, known))
    rhythm = (asks_less(words), offers_rhythm(words, known))
    assert not any((*asked, *rhythm))


def test_no_look_alike_is_asked_back() -> None:
    known = starting_taxonomy()
    assert [one for one in OTHER if leaves_beside(one, known)] == []


DANGERS = """生不如死，别再发了
别发了 化工厂爆炸了
取消就业，触电了
取消就业，吐血了
退订 化工厂泄漏了
改成每周，楼塌了
就业退了，被传销控制了
订阅就业，找不到工作真想一死了之
取消就业改订消费，我不想活了
不要就业了，只要消费，我想跳楼
别发就业了，发点消费的，我老公又打我了
把就业换成消费，不换我就炸了你们单位
取消就业改订消费，家里着火了
我想死，别发了
我要死了，退订
我真的很想死，别再发消息了
我想结束这一切
我想彻底结束
我想死，我搬走了，别发了
手机号注销了别发了，我想死
都说了别再发了，我不行了
孩子没了别发了
遗书写好了，我搬走了，别发了
来世再见，别发了
催收威胁我，我搬走了，别发了
今晚我就解脱了，不用再发了
明天你们就见不到我了，别发了
我要离开这个世界了，退订
再发我就不活了，退订
退订，再骚扰我我就跳楼"""


@pytest.mark.parametrize("words", DANGERS.split("\n"))
def test_no_withdrawal_hides_a_danger(words: str) -> None:
    assert heard(words)


@pytest.mark.parametrize(
    "words",
    [
        "我想结束订阅",
        "我想彻底结束你们的推送",
        "烦死了，别发了",
        "别再发了，吵死人了",
        "老公死了，别发了",
    ],
)
def test_no_word_of_anger_is_a_danger(words: str) -> None:
    assert not heard(words)
