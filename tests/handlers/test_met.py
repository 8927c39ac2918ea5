"""What an act was met with, for the counts of a day, on both platforms."""

from bot.met import Met


async def test_every_turn_says_how_it_was_met(citizen) -> None:
    met: list[Met] = []
    handle = citizen.office.dispatcher.handle

    async def noted(inbound, contact):
        parts = await handle(inbound, contact)
        met.append(parts.met)
        assert "met" not in parts.kept(), "a seal of a row would change with a count"
        return parts

    citizen.office.dispatcher.handle = noted
    await citizen.say("帮助")
    await citizen.say("高校毕业生创业补贴有多少")
    await citizen.say("补贴")
    await citizen.tap("高校毕业生创业补贴办法")
    await citizen.say("门口的路灯坏了好几天没有人修")
    await citizen.tap("转人工")
    assert met[:4] == [Met.OTHER, Met.ANSWERED, Met.ASKED_BACK, Met.ANSWERED]
    assert met[4] in (Met.ASKED_BACK, Met.OPEN)
    assert met[5] is Met.CALLED
    await citizen.say("给我作诗一首")
    await citizen.say("我家着火了")
    assert met[-1] is Met.DANGER
