using System.Text.Json;
using System.Text.Json.Nodes;
using Ash.Simulator.Scripts;
using CsCheck;

namespace Ash.Simulator.Tests.Scripts;

public sealed class InlineScriptTests
{
    private static readonly Gen<string> Text = Gen.OneOf(
        Gen.String,
        Gen.OneOf("]", "}", "\"", "\\", "\\\"", "[{", "@@fake", "\n", "é😀", "{{prompt}}").Array[0, 5].Select(string.Concat));

    [Fact]
    public void Steps_AreFound_WhateverStandsAroundThemAndInTheirStrings() =>
        Gen.Select(Text.Where(IsValid).Array[1, 4], Gen.OneOf("", "please ", "[see]\n"), Gen.OneOf("", " ", "\n\t"), Text)
            .Sample((texts, before, between, after) =>
            {
                var script = JsonSerializer.Serialize(texts.Select(text => new { text }));
                var steps = InlineScript.Find($"{before}@@fake{between}{script}{after}");

                Assert.Equal(texts, steps!.Select(step => Assert.Single(step.Text!)));
            });

    [Fact]
    public void AnyPrompt_GivesStepsOrNothingOrAScriptException() =>
        Gen.OneOf("@@fake", "[", "]", "{", "}", "\"text\"", ":", ",", "\"a\"", "1", "null", " ", "\\", "x", "{\"text\":\"a\"}")
            .Array[0, 12]
            .Sample(parts =>
            {
                try
                {
                    Assert.DoesNotContain(null, InlineScript.Find(string.Concat(parts)) ?? []);
                }
                catch (ScriptException)
                {
                    // The one way to be wrong that a caller has to know.
                }
            });

    [Theory]
    [InlineData("hello")]
    [InlineData("what is @@fake?")]
    [InlineData("what is @@fake, and [this]?")]
    public void Prompt_HasNoScript_WhereNoJsonFollowsTheMark(string prompt)
    {
        Assert.Null(InlineScript.Find(prompt));
    }

    [Fact]
    public void Script_MayBeOneStep()
    {
        Assert.Equal("a", Assert.Single(InlineScript.Find("""@@fake {"text":"a"}""")!).Text!.Single());
    }

    [Fact]
    public void Script_MayBeAnObjectWithSteps()
    {
        Assert.Equal(2, InlineScript.Find("""@@fake {"steps":[{"text":"a"},{"text":"b"}]}""")!.Count);
    }

    [Theory]
    [InlineData("""@@fake [{"texd":"a"}]""", "texd")]
    [InlineData("""@@fake [{"text":7}]""", "text")]
    [InlineData("""@@fake [{"error":{"status":200}}]""", "200")]
    [InlineData("""@@fake [{"when":{"prompt":"("}}]""", "regular expression")]
    [InlineData("""@@fake [1]""", "a step is an object")]
    [InlineData("""@@fake [null]""", "a step is an object")]
    [InlineData("""@@fake [{"text":"a"}""", "")]
    public void WrongScript_SaysWhatIsWrong(string prompt, string part)
    {
        var exception = Assert.Throws<ScriptException>(() => InlineScript.Find(prompt));

        Assert.Contains(part, exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("Ash.Simulator", exception.Message, StringComparison.Ordinal);
    }

    // JSON can carry half a surrogate pair, UTF-8 cannot: such a string does not survive any API.
    private static bool IsValid(string text) => JsonNode.Parse(JsonSerializer.Serialize(text))!.GetValue<string>() == text;
}
